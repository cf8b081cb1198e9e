//! Sets of names that the database, the API or Linear knows.

/// A column of the database holds a name that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such name")]
pub struct NoSuchName;

/// Declares an enum whose variants each have a name, and makes its list and its parser of the same
/// lines: a variant without a name does not compile, and none can be forgotten.
macro_rules! named {
    ($(#[$meta:meta])* $vis:vis enum $Enum:ident {
        $($(#[$about:meta])* $Variant:ident = $name:literal,)+
    }) => {
        $(#[$meta])*
        $vis enum $Enum {
            $($(#[$about])* $Variant,)+
        }

        impl $Enum {
            /// Every variant, as declared.
            pub const ALL: [$Enum; [$($name),+].len()] = [$($Enum::$Variant),+];

            /// The name that programs and the database know it by.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $($Enum::$Variant => $name,)+
                }
            }

            /// Finds the variant of a name; `None` for what is no name of any.
            #[must_use]
            pub fn from_name(name: &str) -> Option<$Enum> {
                $Enum::ALL.into_iter().find(|one| one.name() == name)
            }
        }
    };
}

/// Lets rows be read that hold the names of such an enum in a column of text.
macro_rules! column {
    ($Enum:ident) => {
        impl<D: sqlx::Database> sqlx::Type<D> for $Enum
        where
            str: sqlx::Type<D>,
        {
            fn type_info() -> D::TypeInfo {
                <str as sqlx::Type<D>>::type_info()
            }

            fn compatible(found: &D::TypeInfo) -> bool {
                <str as sqlx::Type<D>>::compatible(found)
            }
        }

        impl<'r, D: sqlx::Database> sqlx::Decode<'r, D> for $Enum
        where
            &'r str: sqlx::Decode<'r, D>,
        {
            fn decode(value: D::ValueRef<'r>) -> Result<$Enum, sqlx::error::BoxDynError> {
                let name = <&str as sqlx::Decode<D>>::decode(value)?;
                Ok($Enum::from_name(name).ok_or(crate::names::NoSuchName)?)
            }
        }
    };
}

pub(crate) use {column, named};

#[cfg(test)]
mod tests {
    named! {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Colour {
            /// The colour of grass.
            Green = "green",
            DarkBlue = "dark_blue",
        }
    }

    #[test]
    fn every_variant_is_found_by_its_name_and_nothing_else_is() {
        assert_eq!(Colour::ALL.map(Colour::name), ["green", "dark_blue"]);
        assert_eq!(
            Colour::ALL.map(|one| Colour::from_name(one.name())),
            [Some(Colour::Green), Some(Colour::DarkBlue)]
        );
        for nobodys in ["", "Green", "dark blue"] {
            assert_eq!(Colour::from_name(nobodys), None);
        }
    }
}
