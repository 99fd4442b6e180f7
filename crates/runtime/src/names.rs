//! `/run/netns`: which namespaces have a name, and the numbers that tell namespaces apart.

use std::collections::HashMap;

use netloom_kernel::{Kernel, NsId};

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A namespace, held by its name.
    Namespace(NsId),
    /// An ordinary file, as `touch /run/netns/x` leaves it, or umount(8) of a namespace's one.
    PlainFile,
}

/// The inode number of the first namespace of a Linux kernel.
const FIRST_INODE: u64 = 4_026_531_840;

/// The names, and the inode numbers that namespaces have in `/proc/PID/ns/net`.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Oldest first.
    entries: Vec<(String, Named)>,
    inodes: HashMap<NsId, u64>,
    inodes_given: u64,
    by_inode: HashMap<u64, NsId>,
}

/// Whether a file may have that name.
fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && name.len() <= 255 && !name.contains(['/', '\0'])
}

impl Names {
    pub(crate) fn get(&self, name: &str) -> Option<Named> {
        self.entries.iter().find(|(found, _)| found == name).map(|(_, named)| *named)
    }

    /// Gives a name to a namespace that the caller holds for it.
    pub(crate) fn bind(&mut self, name: &str, ns: NsId) -> Result<(), i32> {
        self.insert(name, Named::Namespace(ns))
    }

    /// Makes an ordinary file.
    pub(crate) fn touch(&mut self, name: &str) -> Result<(), i32> {
        self.insert(name, Named::PlainFile)
    }

    fn insert(&mut self, name: &str, named: Named) -> Result<(), i32> {
        if !is_file_name(name) {
            return Err(libc::EINVAL);
        }
        if self.get(name).is_some() {
            return Err(libc::EEXIST);
        }
        self.entries.push((name.to_owned(), named));
        Ok(())
    }

    /// Removes a name, and what it held is let go.
    pub(crate) fn delete(&mut self, name: &str, kernel: &mut Kernel) -> Result<(), i32> {
        let at = self.entries.iter().position(|(found, _)| found == name).ok_or(libc::ENOENT)?;
        if let (_, Named::Namespace(ns)) = self.entries.remove(at) {
            kernel.release_namespace(ns);
        }
        Ok(())
    }

    /// umount(8): the file that the namespace was mounted on stays.
    pub(crate) fn unmount(&mut self, name: &str, kernel: &mut Kernel) -> Result<(), i32> {
        let (_, named) = self.entries.iter_mut().find(|(found, _)| found == name).ok_or(libc::ENOENT)?;
        match std::mem::replace(named, Named::PlainFile) {
            Named::Namespace(ns) => {
                kernel.release_namespace(ns);
                Ok(())
            }
            Named::PlainFile => Err(libc::EINVAL),
        }
    }

    /// Every name, newest first, as directories in memory list them.
    pub(crate) fn list(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().rev().map(|(name, _)| name.as_str())
    }

    /// The names of a namespace, newest first.
    pub(crate) fn of(&self, ns: NsId) -> Vec<String> {
        let its = |&&(_, named): &&(String, Named)| named == Named::Namespace(ns);
        self.entries.iter().rev().filter(its).map(|(name, _)| name.clone()).collect()
    }

    /// The namespace's inode number.
    pub(crate) fn inode(&mut self, ns: NsId) -> u64 {
        *self.inodes.entry(ns).or_insert_with(|| {
            let inode = FIRST_INODE + self.inodes_given;
            self.inodes_given += 1;
            self.by_inode.insert(inode, ns);
            inode
        })
    }

    /// Forgets the numbers of namespaces that are gone, and gives them.
    pub(crate) fn forget_gone(&mut self, kernel: &Kernel) -> Vec<u64> {
        let (kept, gone) = std::mem::take(&mut self.inodes).into_iter().partition(|(ns, _)| kernel.has_namespace(*ns));
        self.inodes = kept;
        let gone: HashMap<NsId, u64> = gone;
        for inode in gone.values() {
            self.by_inode.remove(inode);
        }
        gone.into_values().collect()
    }

    /// The namespace that an inode number was given to.
    pub(crate) fn by_inode(&self, inode: u64) -> Option<NsId> {
        self.by_inode.get(&inode).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netloom_kernel::{Config, Instant};
    use std::time::Duration;

    fn kernel() -> Kernel {
        Kernel::new(Config { seed: 1, cpus: 2, hostname: "test".to_owned(), wall_clock: Duration::ZERO }, Instant(0))
    }

    #[test]
    fn newest_first_and_no_name_twice() {
        let mut kernel = kernel();
        let mut names = Names::default();
        let (a, b) = (kernel.create_namespace(), kernel.create_namespace());
        assert_eq!(names.bind("a", a), Ok(()));
        assert_eq!(names.bind("b", b), Ok(()));
        assert_eq!(names.bind("a", b), Err(libc::EEXIST));
        assert_eq!(names.bind("x/y", b), Err(libc::EINVAL));
        assert_eq!(names.list().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(names.of(a), ["a"]);
        assert_eq!(names.delete("a", &mut kernel), Ok(()));
        assert_eq!(names.delete("a", &mut kernel), Err(libc::ENOENT));
        assert!(!kernel.has_namespace(a));
    }

    #[test]
    fn an_unmounted_name_is_a_plain_file() {
        let mut kernel = kernel();
        let mut names = Names::default();
        let ns = kernel.create_namespace();
        names.bind("a", ns).expect("free");
        assert_eq!(names.unmount("a", &mut kernel), Ok(()));
        assert_eq!(names.get("a"), Some(Named::PlainFile));
        assert!(!kernel.has_namespace(ns));
        assert_eq!(names.unmount("a", &mut kernel), Err(libc::EINVAL));
    }

    #[test]
    fn inode_numbers_begin_at_linuxs_first_one() {
        let mut kernel = kernel();
        let mut names = Names::default();
        let root = kernel.root();
        let other = kernel.create_namespace();
        assert_eq!(names.inode(root), 4_026_531_840);
        assert_eq!(names.inode(other), 4_026_531_841);
        assert_eq!(names.inode(root), 4_026_531_840);
        assert_eq!(names.by_inode(4_026_531_841), Some(other));
        kernel.release_namespace(other);
        assert_eq!(names.forget_gone(&kernel), [4_026_531_841]);
        assert_eq!(names.by_inode(4_026_531_841), None);
        let third = kernel.create_namespace();
        assert_eq!(names.inode(third), 4_026_531_842);
    }
}
