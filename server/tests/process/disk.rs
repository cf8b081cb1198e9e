//! Disks that fill, files that vanish: the real binary on a small disk of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use relink_simulator::Kind;
use serde_json::{Value, json};

use crate::fleet::{DAY_S, Fleet, ORG, fault};
use crate::process::client;

/// All is well this long after there is room again.
const WELL_WITHIN: Duration = Duration::from_secs(10);

/// A disk of 24 MB. Only the superuser may mount one; elsewhere `engine/tests/faults` stands for
/// it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn at(path: &Path) -> Option<SmallDisk> {
        fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "relink-test"])
            .arg(path)
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| SmallDisk(path.to_owned()))
    }

    fn fill(&self) {
        let full = fs::File::create(self.0.join("ballast")).unwrap();
        let mut full = std::io::BufWriter::with_capacity(4096, full);
        while std::io::Write::write_all(&mut full, &[7; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

async fn readiness(fleet: &Fleet) -> (u16, Value) {
    let reply = client()
        .get(format!("{}/readyz", fleet.url(0)))
        .send()
        .await
        .unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

async fn until_ready(fleet: &Fleet) {
    let began = Instant::now();
    while readiness(fleet).await.0 != 200 {
        assert!(
            began.elapsed() < WELL_WITHIN,
            "{:?}",
            readiness(fleet).await
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until it was said once for each time, and no more often.
async fn until_said(fleet: &Fleet, words: &str, times: usize) {
    let began = Instant::now();
    while fleet.said(0).matches(words).count() != times {
        assert!(
            began.elapsed() < WELL_WITHIN,
            "{words:?}, {times} times: {}",
            fleet.said(0)
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_no_grant_and_no_webhook_and_heals_without_a_restart() {
    let place = crate::process::Place::new();
    let Some(disk) = SmallDisk::at(&place.path().join("data")) else {
        return;
    };
    let mut fleet = Fleet::at(place, None).await;
    fleet.start(1).await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    let first = fleet.token(0, &id).await;
    let rejected = json!({ "rejected": first.fingerprint() });
    for round in 0..3_usize {
        disk.fill();
        let told = fleet.ask(0, &id, rejected.clone()).await.unwrap();
        assert_eq!(
            (told.status, &told.body["code"], &told.body["detail"]),
            (503, &json!("unavailable"), &json!("disk_full"))
        );
        assert_eq!(
            fleet.linear.grant_counts("acme-robotics").refreshes,
            0,
            "Linear is not asked for what could not be kept"
        );
        assert!(
            fleet.token(0, &id).await.token().is_some(),
            "the token that is valid is handed out"
        );
        assert_eq!(fleet.deliver(0, &id, &round.to_string()).await, Some(503));
        let (status, said) = readiness(&fleet).await;
        assert_eq!(
            (status, &said["reason"]),
            (503, &json!("storage")),
            "{said}"
        );
        let page = client()
            .get(format!("{}/signin", fleet.url(0)))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(page.contains("disk is full"), "the page says it");
        until_said(&fleet, "ALARM: the database keeps nothing", round + 1).await;
        disk.make_room();
        until_ready(&fleet).await;
        until_said(&fleet, "ALARM OVER", round + 1).await;
        assert_eq!(fleet.deliver(0, &id, &round.to_string()).await, Some(200));
    }
    let (second, _) = fleet.token_soon(0, &id, rejected).await.unwrap();
    assert!(fleet.is_alive(&second).await && first.token() != Some(&second));
    fleet.kill(0);
    fleet.linear.advance_s(31 * 60);
    fleet.restart(0).await;
    let rejected = json!({ "rejected": fleet.token(0, &id).await.fingerprint() });
    let (third, _) = fleet.token_soon(0, &id, rejected).await.unwrap();
    assert!(
        fleet.is_alive(&third).await,
        "what was handed out is what was kept"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_that_linear_has_minted_finds_room_on_a_disk_that_filled_meanwhile() {
    let place = crate::process::Place::new();
    let Some(disk) = SmallDisk::at(&place.path().join("data")) else {
        return;
    };
    // Room for a reserve is only taken where there is plenty.
    assert!(
        Command::new("mount")
            .args(["-o", "remount,size=64m"])
            .arg(&disk.0)
            .status()
            .unwrap()
            .success()
    );
    let mut fleet = Fleet::at(place, None).await;
    fleet.start(1).await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    let reserve = disk.0.join("relink.db.reserve");
    let began = Instant::now();
    while !reserve.exists() {
        assert!(began.elapsed() < WELL_WITHIN, "no room was set aside");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rejected = json!({ "rejected": fleet.token(0, &id).await.fingerprint() });
    fleet
        .linear
        .add_fault(fault(Kind::DelayReply, 1_500))
        .unwrap();
    let asking = fleet.asking(0, &id, rejected);
    tokio::time::sleep(Duration::from_millis(500)).await;
    disk.fill();
    let told = asking.await.unwrap().unwrap();
    assert!(
        fleet.is_alive(told.token().unwrap()).await && !reserve.exists(),
        "{told:?}"
    );
    fleet.kill(0);
    disk.make_room();
    fleet.restart(0).await;
    assert_eq!(
        fleet.token(0, &id).await.token(),
        told.token(),
        "it was on the disk"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_into_a_file_that_is_gone_or_another() {
    let mut fleet = Fleet::on_sqlite().await;
    fleet.start(1).await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    assert_eq!(fleet.deliver(0, &id, "1").await, Some(200));
    let file = fleet.place.path().join("data/relink.db");
    let aside = file.with_extension("aside");
    fs::rename(&file, &aside).unwrap();
    for replaced in [false, true] {
        if replaced {
            fs::copy(&aside, &file).unwrap();
        }
        assert_eq!(
            fleet.deliver(0, &id, "2").await,
            Some(503),
            "replaced: {replaced}"
        );
        assert_eq!(readiness(&fleet).await.0, 503, "replaced: {replaced}");
    }
    fs::rename(&aside, &file).unwrap();
    until_ready(&fleet).await;
    assert_eq!(fleet.deliver(0, &id, "2").await, Some(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_log_that_somebody_deletes() {
    let mut fleet = Fleet::on_sqlite().await;
    fleet.start(1).await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    for number in 0..20 {
        assert_eq!(
            fleet.deliver(0, &id, &format!("before-{number}")).await,
            Some(200)
        );
    }
    let first = fleet.token(0, &id).await;
    let (second, _) = fleet
        .token_soon(0, &id, json!({ "rejected": first.fingerprint() }))
        .await
        .unwrap();
    fs::remove_file(fleet.place.path().join("data/relink.db-wal")).unwrap();
    assert_eq!(fleet.deliver(0, &id, "after").await, Some(503));
    assert_eq!(readiness(&fleet).await.0, 503);
    until_said(&fleet, "is written into the file written=Some(Ok(0))", 1).await;
    fleet.kill(0);
    fleet.restart(0).await;
    assert_eq!(
        fleet.token(0, &id).await.token(),
        Some(second.as_str()),
        "it is there"
    );
    let store = fleet.store().await;
    let organisation = store.organisation_by_slug(ORG).await.unwrap().unwrap().id;
    assert_eq!(
        store
            .deliveries_after(&organisation, 0, 100, i64::MAX)
            .await
            .unwrap()
            .len(),
        20
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_a_deleted_lock_nor_another_name_of_the_file_lets_a_second_server_in() {
    let mut fleet = Fleet::on_sqlite().await;
    fleet.start(1).await;
    let id = fleet.connect(1, DAY_S).await.remove(0);
    assert_eq!(fleet.deliver(0, &id, "1").await, Some(200));
    let (data, elsewhere) = (
        fleet.place.path().join("data"),
        fleet.place.path().join("elsewhere"),
    );
    fs::create_dir(&elsewhere).unwrap();
    fs::hard_link(data.join("relink.db"), elsewhere.join("relink.db")).unwrap();
    for command in [["serve"], ["refresh"]] {
        let linked = fleet
            .place
            .command(&command)
            .env("RELINK_DATA_DIR", &elsewhere)
            .output()
            .unwrap();
        assert!(
            String::from_utf8_lossy(&linked.stderr).contains("has another name"),
            "{linked:?}"
        );
    }
    fs::remove_file(elsewhere.join("relink.db")).unwrap();
    fs::remove_file(data.join("relink.serve-lock")).unwrap();
    let second = fleet.place.run(&["serve"], "");
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("another relink serves"),
        "{second:?}"
    );
    assert_eq!(fleet.deliver(0, &id, "2").await, Some(200));
    until_ready(&fleet).await;
    assert!(!fleet.said(0).contains("ALARM"), "{}", fleet.said(0));
}
