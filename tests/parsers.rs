//! Every reader of bytes from outside is given the seeds of its fuzz target, and each of them cut short.

use std::{collections::BTreeSet, fs, path::PathBuf};

/// Every target: its name, and what is done with the bytes.
#[expect(clippy::type_complexity, reason = "a list of names and of what they name")]
fn targets() -> Vec<(&'static str, fn(&[u8]))> {
    let crates =
        [coordinator::fuzzing::TARGETS, call_client::fuzzing::TARGETS, sfu::fuzzing::TARGETS, media::fuzzing::TARGETS];
    crates.concat()
}

fn fuzz() -> PathBuf {
    PathBuf::from("../fuzz")
}

#[test]
fn seeds_make_nobody_fall_over() {
    for (name, read) in targets() {
        let seeds: Vec<_> = fs::read_dir(fuzz().join("seeds").join(name)).expect(name).collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for seed in seeds {
            let seed = fs::read(seed.unwrap().path()).unwrap();
            // Where it is cut says more than what it is made of.
            let steps = (seed.len() / 16).max(1);
            for length in (0..seed.len()).step_by(steps).chain([seed.len()]) {
                read(&seed[..length]);
            }
        }
    }
}

#[test]
fn targets_seeds_and_manifest_agree() {
    let names = targets().into_iter().map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>();
    let stem = |entry: std::io::Result<fs::DirEntry>| {
        entry.unwrap().path().file_stem().expect("a name").to_string_lossy().into_owned()
    };
    for folder in ["fuzz_targets", "seeds"] {
        let there: BTreeSet<_> = fs::read_dir(fuzz().join(folder)).unwrap().map(stem).collect();
        assert_eq!(there, names, "fuzz/{folder}");
    }
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "fuzz/Cargo.toml has no {name}");
    }
}
