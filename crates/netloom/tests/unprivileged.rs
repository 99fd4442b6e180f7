//! Everything works for a user with no privileges at all.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use common::{NETLOOM, Place, text};

#[test]
fn nobody_runs_a_script() {
    let place = Place::new();
    let (directory, binary) = (place.path().join("open"), place.path().join("open/netloom"));
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).expect("our own directory");
    std::fs::create_dir(&directory).expect("our own directory");
    std::fs::copy(NETLOOM, &binary).expect("room for a copy");
    let script = "id -u; readlink /proc/self/ns/net; touch /run/netns/x && ls /run/netns; netloom prompt";
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]);
    setpriv.arg(&binary).args(["exec", "bash", "-c", script]).env_remove("XDG_RUNTIME_DIR");
    setpriv.env_remove("NETLOOM_MACHINE").current_dir("/");
    match setpriv.output() {
        Ok(output) if text(&output.stderr).starts_with("setpriv:") => {
            eprintln!("skipped: becoming nobody takes root ({})", text(&output.stderr).trim());
        }
        Ok(output) => {
            assert_eq!(text(&output.stdout), "65534\nnet:[4026531840]\nx\nnetloom", "{}", text(&output.stderr));
            assert_eq!(output.status.code(), Some(0));
        }
        Err(error) => eprintln!("skipped: no setpriv(1) here: {error}"),
    }
}
