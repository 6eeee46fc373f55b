//! A description as a text that is committed beside the code, and compared with what the code says.
//!
//! The text has a line for the service and, for each method, one with its id, kind and name, followed by a line for each argument
//! and for what it returns.

use std::{env, error::Error, fmt, fs, io, path::Path};

use super::{Change, Description, MethodDescription, MethodKind, Shape, StaticDescription};

/// Set to anything but `0` or nothing, it makes [`check_against_file`] write the file anew.
pub const ACCEPT: &str = "HANDOVER_ACCEPT_API";

const HEADING: &str =
    "# A service as its peers know it. Written by handover's API check; set HANDOVER_ACCEPT_API=1 to write it anew.";

const KINDS: [(&str, MethodKind); 7] = [
    ("call", MethodKind::Call),
    ("oneway", MethodKind::OneWay),
    ("once", MethodKind::Once),
    ("oneway-once", MethodKind::OneWayOnce),
    ("server-stream", MethodKind::ServerStream),
    ("client-stream", MethodKind::ClientStream),
    ("two-way-stream", MethodKind::TwoWayStream),
];

/// Compares a service with the description that is committed in a file: for a test.
///
/// The path is relative to the folder that the test runs in, which cargo makes the package's. A compatible change is an error
/// too, of another kind: the file is to be brought up to date.
///
/// # Errors
/// [`CheckError`], which prints what changed, and how to accept it: by running the test with `HANDOVER_ACCEPT_API=1`.
///
/// # Examples
/// ```no_run
/// # const DESCRIPTION: handover_core::shape::StaticDescription =
/// #     handover_core::shape::StaticDescription { name: "Contacts", docs: "", methods: &[], supers: &[] };
/// # fn contacts_stay_compatible() -> Result<(), Box<dyn std::error::Error>> {
/// handover_core::shape::check_against_file(&DESCRIPTION, "api/contacts.txt")?;
/// # Ok(()) }
/// ```
pub fn check_against_file(service: &StaticDescription, path: impl AsRef<Path>) -> Result<(), CheckError> {
    let is_accepted = env::var_os(ACCEPT).is_some_and(|value| !value.is_empty() && value != "0");
    check(&service.describe(), path.as_ref(), is_accepted)
}

fn check(service: &Description, path: &Path, is_accepted: bool) -> Result<(), CheckError> {
    let shown = path.display().to_string();
    let failed = |error: io::Error| CheckError::File { path: shown.clone(), why: error.to_string() };
    if is_accepted {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        return fs::write(path, write(service)).map_err(failed);
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let committed = read(&text).map_err(|line| CheckError::Line { path: shown.clone(), line })?;
    let changes = Description::compare(&committed, service);
    if changes.iter().any(|change| !change.is_compatible) {
        return Err(CheckError::Incompatible { path: shown, changes });
    }
    // What git has done to the ends of lines is no change.
    let is_current = text.lines().eq(write(service).lines());
    if is_current { Ok(()) } else { Err(CheckError::OutOfDate { path: shown, changes }) }
}

/// Why a service is not what its committed description says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckError {
    /// The file cannot be read or written; it may not exist yet.
    File {
        /// Which.
        path: String,
        /// The system's reason.
        why: String,
    },
    /// A line of it is no part of a description.
    Line {
        /// Of which file.
        path: String,
        /// Its number, from 1.
        line: usize,
    },
    /// Peers of the committed version and of this one do not understand each other.
    Incompatible {
        /// The file.
        path: String,
        /// All changes, also compatible ones.
        changes: Vec<Change>,
    },
    /// Something changed that peers get along with.
    OutOfDate {
        /// The file.
        path: String,
        /// The changes; none if only names changed.
        changes: Vec<Change>,
    },
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = match self {
            Self::File { path, why } => {
                writeln!(f, "{path} cannot be read or written: {why}")?;
                &[][..]
            }
            Self::Line { path, line } => {
                writeln!(f, "{path}:{line} is no part of a description")?;
                &[]
            }
            Self::Incompatible { path, changes } => {
                writeln!(f, "the service is not compatible with {path}:")?;
                changes
            }
            Self::OutOfDate { path, changes } => {
                writeln!(f, "{path} is out of date, in a compatible way:")?;
                changes
            }
        };
        for change in changes {
            writeln!(f, "  {change}")?;
        }
        write!(f, "to accept this on purpose, run the test once with {ACCEPT}=1, and commit the file")
    }
}

impl Error for CheckError {}

/// A description as text. Documentation is left out: it is no business of peers.
fn write(service: &Description) -> String {
    let mut lines = vec![HEADING.to_owned(), format!("service {}", service.name)];
    for method in &service.methods {
        let kind = KINDS.iter().find(|(_, kind)| *kind == method.kind).map_or("", |(word, _)| word);
        lines.push(format!("\n{:#010x} {kind} {}", method.id, method.name));
        lines.extend(method.args.iter().map(|(name, shape)| format!("  {name}: {shape}")));
        lines.push(format!("  -> {}", method.ok));
        lines.extend(method.err.iter().map(|shape| format!("  or {shape}")));
    }
    lines.join("\n") + "\n"
}

/// A description from its text, or the number of the line that is wrong.
fn read(text: &str) -> Result<Description, usize> {
    let mut service = Description { name: String::new(), docs: String::new(), methods: Vec::new() };
    for (number, line) in text.lines().enumerate() {
        if !line.is_empty() && !line.starts_with('#') {
            read_line(line, &mut service).ok_or(number + 1)?;
        }
    }
    Ok(service)
}

fn read_line(line: &str, service: &mut Description) -> Option<()> {
    if let Some(name) = line.strip_prefix("service ") {
        name.clone_into(&mut service.name);
    } else if let Some(id) = line.strip_prefix("0x") {
        service.methods.push(read_method(id)?);
    } else {
        let method = service.methods.last_mut()?;
        let line = line.strip_prefix("  ")?;
        if let Some(shape) = line.strip_prefix("-> ") {
            method.ok = shape.parse().ok()?;
        } else if let Some(shape) = line.strip_prefix("or ") {
            method.err = Some(shape.parse().ok()?);
        } else {
            let (name, shape) = line.split_once(": ")?;
            method.args.push((name.to_owned(), shape.parse().ok()?));
        }
    }
    Some(())
}

fn read_method(line: &str) -> Option<MethodDescription> {
    let mut words = line.split(' ');
    let id = u32::from_str_radix(words.next()?, 16).ok()?;
    let word = words.next()?;
    let kind = KINDS.iter().find(|(known, _)| *known == word)?.1;
    let name = words.next()?.to_owned();
    Some(MethodDescription { id, name, docs: String::new(), kind, args: Vec::new(), ok: Shape::Unit, err: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Shape {
        text.parse().unwrap()
    }

    fn service() -> Description {
        let method = |id, name: &str, kind, args: &[(&str, &str)], ok, err: Option<&str>| MethodDescription {
            id,
            name: name.to_owned(),
            docs: "Documented.".to_owned(),
            kind,
            args: args.iter().map(|(name, text)| ((*name).to_owned(), shape(text))).collect(),
            ok: shape(ok),
            err: err.map(shape),
        };
        Description {
            name: "Contacts".to_owned(),
            docs: String::new(),
            methods: vec![
                method(
                    1,
                    "add",
                    MethodKind::Call,
                    &[("contact", "C { name: String }")],
                    "u32",
                    Some("enum E { Full }"),
                ),
                method(0xffff_ffff, "log", MethodKind::OneWayOnce, &[], "()", None),
            ],
        }
    }

    const TEXT: &str = "service Contacts\n\n\
        0x00000001 call add\n  contact: C { name: String }\n  -> u32\n  or enum E { Full }\n\n\
        0xffffffff oneway-once log\n  -> ()\n";

    /// A file of its own for each test, in a folder that goes with it.
    struct File(std::path::PathBuf);

    impl std::ops::Deref for File {
        type Target = Path;

        fn deref(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _absent = self.0.parent().map(fs::remove_dir_all);
        }
    }

    fn file(name: &str) -> File {
        let path = env::temp_dir().join(format!("handover-api-{}-{name}", std::process::id())).join("service.txt");
        let _absent = fs::remove_file(&path);
        File(path)
    }

    #[test]
    fn a_description_is_a_text_that_can_be_read_back() {
        assert_eq!(write(&service()), format!("{HEADING}\n{TEXT}"));
        assert_eq!(write(&read(TEXT).unwrap()), write(&service()));
    }

    #[test]
    fn a_line_that_is_no_part_of_a_description_is_named() {
        assert_eq!(read("service A\n0x1 call a\n  x: u8 u8\n"), Err(3));
        assert_eq!(read("  -> u8"), Err(1));
        assert_eq!(read("0x1 sing a"), Err(1));
        assert_eq!(read("nonsense"), Err(1));
    }

    #[test]
    fn a_service_is_accepted_once_and_then_held_to_its_file() {
        let path = file("held");
        let missing = check(&service(), &path, false).unwrap_err();
        assert!(matches!(missing, CheckError::File { .. }), "{missing}");

        check(&service(), &path, true).unwrap();
        check(&service(), &path, false).unwrap();

        let mut broken = service();
        broken.methods[0].args[0].1 = shape("C { name: u8 }");
        let error = check(&broken, &path, false).unwrap_err();
        assert!(matches!(error, CheckError::Incompatible { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains("INCOMPATIBLE (old client, new service): `add` differs in contact.name: "), "{error}");
        assert!(error.contains("HANDOVER_ACCEPT_API=1"), "{error}");
        check(&service(), &path, false).unwrap();
    }

    #[test]
    fn a_compatible_change_asks_for_a_new_file() {
        let path = file("compatible");
        check(&service(), &path, true).unwrap();

        let mut more = service();
        more.methods[0].args[0].1 = shape("C { name: String, age?: u8 }");
        let error = check(&more, &path, false).unwrap_err();

        let CheckError::OutOfDate { changes, .. } = &error else { panic!("{error}") };
        assert_eq!(changes.len(), 2, "{error}");
        check(&more, &path, true).unwrap();
        check(&more, &path, false).unwrap();
    }

    #[test]
    fn the_ends_of_lines_make_no_difference() {
        let path = file("lines");
        check(&service(), &path, true).unwrap();
        let text = fs::read_to_string(&*path).unwrap();
        fs::write(&*path, text.replace('\n', "\r\n")).unwrap();

        check(&service(), &path, false).unwrap();
    }
}
