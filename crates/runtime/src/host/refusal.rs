//! Why the host doesn't let a user have namespaces, and what to do about it.

use std::io;

use crate::error::Error;

/// A step that the host refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    what: String,
    errno: i32,
}

impl Refusal {
    /// `what` follows "cannot".
    pub(super) fn new(what: &str, error: &io::Error) -> Refusal {
        Refusal { what: what.to_owned(), errno: error.raw_os_error().unwrap_or(libc::EIO) }
    }

    /// As the init says it.
    pub(super) fn encode(&self) -> String {
        format!("{} {}", self.errno, self.what)
    }

    pub(super) fn decode(text: &str) -> Refusal {
        let (errno, what) = text.split_once(' ').unwrap_or(("", text));
        Refusal { what: what.to_owned(), errno: errno.parse().unwrap_or(libc::EIO) }
    }
}

impl From<Refusal> for Error {
    fn from(Refusal { what, errno }: Refusal) -> Error {
        let setting = |name: &str| {
            let text = std::fs::read_to_string(format!("/proc/sys/{name}")).ok()?;
            text.trim().parse().ok()
        };
        let advice = advice(errno, crate::sys::process::user() == 0, setting);
        Error::Refused { what, error: io::Error::from_raw_os_error(errno), advice }
    }
}

/// What forbids it, as far as the host's settings say, and what allows it.
fn advice(errno: i32, root: bool, setting: impl Fn(&str) -> Option<u64>) -> String {
    let cause = if setting("user/max_user_namespaces") == Some(0) && (errno == libc::ENOSPC || !root) {
        "user.max_user_namespaces is 0, which forbids user namespaces. As root: sysctl user.max_user_namespaces=10000"
    } else if setting("kernel/unprivileged_userns_clone") == Some(0) && !root {
        "kernel.unprivileged_userns_clone is 0, which leaves user namespaces to root. \
         As root: sysctl kernel.unprivileged_userns_clone=1"
    } else if setting("kernel/apparmor_restrict_unprivileged_userns") == Some(1) && !root {
        "AppArmor takes the privileges from user namespaces of programs that it has no profile for. As root: \
         sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile for netloom that allows `userns`"
    } else {
        match errno {
            libc::ENOSPC | libc::EUSERS => "The limit of namespaces is reached: see the settings user.max_*_namespaces",
            libc::EINVAL => "This kernel was built without one of the namespaces (user, PID, network, mount, UTS, IPC)",
            libc::EPERM | libc::EACCES if root => {
                "This root may not do it, as in a container. It takes the capabilities CAP_SYS_ADMIN and CAP_NET_ADMIN, and \
                 a seccomp filter and security module that allow it: docker run --privileged"
            }
            libc::EPERM | libc::EACCES => {
                "A seccomp filter, a security module or a chroot forbids it, as in most containers. Run it as root, or in a \
                 container that was started with --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
                 --security-opt systempaths=unconfined"
            }
            _ => "Run it as root",
        }
    };
    format!("{cause}. The embedded kernel needs none of this: leave out --host.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: u64) -> impl Fn(&str) -> Option<u64> {
        move |asked| (asked == name).then_some(value)
    }

    #[test]
    fn the_setting_that_forbids_it_is_named() {
        for (name, value) in [
            ("user/max_user_namespaces", 0),
            ("kernel/unprivileged_userns_clone", 0),
            ("kernel/apparmor_restrict_unprivileged_userns", 1),
        ] {
            let advice = advice(libc::EPERM, false, with(name, value));
            assert!(advice.contains(&format!("sysctl {}", name.replace('/', "."))), "{advice}");
        }
        assert!(advice(libc::EPERM, false, |_| None).starts_with("A seccomp filter"));
        assert!(advice(libc::EPERM, true, with("user/max_user_namespaces", 0)).contains("CAP_SYS_ADMIN"));
        assert!(advice(libc::ENOSPC, false, |_| None).contains("limit"));
    }

    #[test]
    fn a_refusal_survives_its_way_out() {
        let refusal = Refusal { what: "mount a /sys".to_owned(), errno: libc::EPERM };
        assert_eq!(Refusal::decode(&refusal.encode()), refusal);
    }
}
