#[test]
fn dump() {
    std::fs::write("/tmp/sim/sdl.graphql", relink_simulator::sdl()).expect("sdl");
}
