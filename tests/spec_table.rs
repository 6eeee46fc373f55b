//! Holds `SPEC.md`, the citations in the code and the tests in step.
//!
//! A rule is cited by its id, as a whole word in a comment. `disagreements` compares the table with all citations,
//! both ways, and says of every disagreement where it is and how to mend it. It looks at text only, so the tests below
//! hand it small tables and sources; the first test hands it the project.
//!
//! Rust sources are taken apart into tokens: what no token covers is a comment, and attributes before an `fn` tell a
//! test. Tokens, unlike a syntax tree, show the inside of a macro as well, so a test in `proptest! { … }` counts.
#![cfg(not(target_family = "wasm"))]

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fs;
use std::ops::Range;
use std::path::Path;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

const TABLE: &str = "SPEC.md";

/// This file, whose samples cite whatever they like.
const THIS_FILE: &str = "tests/spec_table.rs";

/// What stands before the hyphen of an id. The rules on capabilities are written without one: `C7`.
const FAMILIES: [&str; 12] = ["LOOP", "PORT", "CLOSE", "GC", "SER", "EVT", "WIN", "BC", "WRK", "SHW", "ENG", "DEC"];

/// Folders whose files may cite only rules that are done and list them.
const LIBRARY_FOLDERS: [&str; 4] = ["rpc-core/src/", "rpc-macros/src/", "transports/src/", "src/"];

#[test]
fn the_table_the_citations_and_the_tests_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join(TABLE)).expect("the table is in the root");
    let mut files = Vec::new();
    read_rust_files(root, "", &mut files);

    let problems = disagreements(&table, &files);

    assert!(
        problems.is_empty(),
        "{TABLE} and the sources disagree in {} places:\n{}\n",
        problems.len(),
        problems.join("\n")
    );
}

/// Appends the path from the root, with `/`, and the text of every Rust file in a folder.
fn read_rust_files(root: &Path, folder: &str, files: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(root.join(folder)).expect("the folder was just listed");
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    for name in names {
        let path = format!("{folder}{name}");
        if root.join(&path).is_dir() {
            if name != "target" && name != "node_modules" && !name.starts_with('.') {
                read_rust_files(root, &format!("{path}/"), files);
            }
        } else if name.ends_with(".rs") && path != THIS_FILE {
            let text = fs::read_to_string(root.join(&path)).expect("Rust sources are UTF-8");
            files.push((path, text));
        }
    }
}

/// Compares the text of the table with Rust files, given by path and text, and returns one line per disagreement.
fn disagreements(table: &str, files: &[(String, String)]) -> Vec<String> {
    let mut problems = Vec::new();
    let rows = read_table(table, &mut problems);
    let sources: Vec<Source> =
        files.iter().filter_map(|(path, text)| Source::read(path, text, &mut problems)).collect();
    for row in rows.values() {
        check_row(row, &sources, &mut problems);
    }
    for source in &sources {
        check_citations(source, &rows, &mut problems);
    }
    problems
}

// The table.

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Done,
    Waived,
    Open,
}

struct Row {
    line: usize,
    id: String,
    status: Status,
    code: Vec<String>,
    tests: Vec<String>,
    note: String,
}

/// Reads the rows of all tables; what is not a proper row becomes a problem.
fn read_table(table: &str, problems: &mut Vec<String>) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for (line, text) in (1..).zip(table.lines()) {
        if !text.starts_with('|') || text.starts_with("| id |") || text.starts_with("|---") {
            continue;
        }
        match read_row(line, text) {
            Err(problem) => problems.push(format!("{TABLE}:{line}: {problem}")),
            Ok(row) => match rows.entry(row.id.clone()) {
                Entry::Vacant(place) => {
                    place.insert(row);
                }
                Entry::Occupied(first) => problems.push(format!(
                    "{TABLE}:{line}: {} already has a row in line {}: keep one of the two",
                    row.id,
                    first.get().line
                )),
            },
        }
    }
    rows
}

fn read_row(line: usize, text: &str) -> Result<Row, String> {
    let cells: Vec<&str> = text.trim().trim_matches('|').split('|').collect();
    let cells: Vec<&str> = cells.into_iter().map(str::trim).collect();
    let [id, rule, status, code, tests, note] = cells[..] else {
        return Err(format!(
            "a row has six cells and this one {}: write – for an empty cell, and no | inside one",
            cells.len()
        ));
    };
    if !is_id(id) {
        return Err(format!("`{id}` is no id of a rule: write one like `PORT-37` or `C7`"));
    }
    if is_empty(rule) {
        return Err(format!("{id} has no text: say the rule in a sentence"));
    }
    Ok(Row {
        line,
        id: id.to_owned(),
        status: read_status(id, status)?,
        code: read_list(id, code)?,
        tests: read_list(id, tests)?,
        note: note.to_owned(),
    })
}

fn read_status(id: &str, cell: &str) -> Result<Status, String> {
    match cell {
        "done" => Ok(Status::Done),
        "waived" => Ok(Status::Waived),
        "open" => Ok(Status::Open),
        other => Err(format!("{id} has the status `{other}`: write done, waived or open")),
    }
}

/// Reads a cell like `` `one`, `two` ``.
fn read_list(id: &str, cell: &str) -> Result<Vec<String>, String> {
    if is_empty(cell) {
        return Ok(Vec::new());
    }
    let unquote = |item: &str| {
        let name = item.trim().strip_prefix('`')?.strip_suffix('`')?;
        Some(name.to_owned())
    };
    cell.split(',')
        .map(|item| {
            unquote(item)
                .ok_or_else(|| format!("{id} lists {}: put each name in backticks, with commas between", item.trim()))
        })
        .collect()
}

fn is_empty(cell: &str) -> bool {
    matches!(cell, "" | "–" | "-")
}

fn is_id(word: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match word.split_once('-') {
        Some((family, number)) => FAMILIES.contains(&family) && is_number(number),
        None => word.strip_prefix('C').is_some_and(is_number),
    }
}

// The sources.

/// A Rust file: what it cites and which tests are in it.
struct Source {
    path: String,
    citations: Vec<Citation>,
    tests: Vec<Test>,
}

struct Citation {
    id: String,
    line: usize,
    place: Place,
}

/// Where a citation stands, which decides what its row must say.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// In the doc comment of the test of this name.
    TestDoc(String),
    /// In a program that must not compile, which is a test as a whole.
    Misuse,
    /// Elsewhere in test code, where an id may be mentioned freely.
    TestCode,
    /// In the code itself.
    Code,
}

struct Test {
    name: String,
    line: usize,
    docs: Vec<Range<usize>>,
}

impl Source {
    fn read(path: &str, text: &str, problems: &mut Vec<String>) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let Ok(tokens) = text.parse::<TokenStream>() else {
            problems.push(format!("{path}: does not split into Rust tokens: mend the file"));
            return None;
        };
        let mut items = TestItems::default();
        items.collect(tokens.clone());
        let citations = ids(&comments(text, tokens))
            .map(|(offset, id)| Citation {
                id: id.to_owned(),
                line: text[..offset].matches('\n').count() + 1,
                place: items.place(path, offset),
            })
            .collect();
        Some(Self { path: path.to_owned(), citations, tests: items.tests })
    }

    fn cites(&self, id: &str, place: &Place) -> bool {
        self.citations.iter().any(|citation| citation.id == id && citation.place == *place)
    }
}

/// Returns the text with a blank for each byte of code: comments remain, where they were.
fn comments(text: &str, tokens: TokenStream) -> String {
    let mut bytes = text.as_bytes().to_vec();
    blank_code(text, tokens, &mut bytes);
    String::from_utf8(bytes).expect("a token is made of whole characters")
}

fn blank_code(text: &str, tokens: TokenStream, bytes: &mut [u8]) {
    for token in tokens {
        if let TokenTree::Group(group) = token {
            blank_code(text, group.stream(), bytes);
            continue;
        }
        let range = token.span().byte_range();
        // A doc comment comes as the tokens of an attribute, each of which covers the whole comment.
        let is_doc_comment = ["//", "/*"].iter().any(|opening| text[range.clone()].starts_with(opening));
        if !is_doc_comment {
            bytes[range].fill(b' ');
        }
    }
}

/// Finds the ids among the words of a text, with the offset of each.
fn ids(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut end = 0;
    text.split_inclusive(move |c| !is_word(c))
        .map(move |piece| {
            let start = end;
            end += piece.len();
            (start, piece.trim_matches(|c| !is_word(c) || c == '-'))
        })
        .filter(|(_, word)| is_id(word))
}

/// The tests of a file, and the stretches of it that are test code.
#[derive(Default)]
struct TestItems {
    tests: Vec<Test>,
    stretches: Vec<Range<usize>>,
}

impl TestItems {
    /// Walks through the tokens at every depth and looks at each `fn` and `mod` with the attributes before it.
    fn collect(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut attributes = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    if at > 0 && is_punct(&tokens[at - 1], '#') {
                        attributes.push(group.clone());
                    } else if group.delimiter() != Delimiter::Parenthesis {
                        attributes.clear();
                    }
                    self.collect(group.stream());
                }
                TokenTree::Ident(word) if word == "fn" || word == "mod" => {
                    self.add_item(&attributes, &tokens[at..]);
                    attributes.clear();
                }
                token if may_precede_item_keyword(token) => {}
                _ => attributes.clear(),
            }
        }
    }

    /// Adds the item whose keyword comes first in `tokens`, if its attributes say that it belongs to the tests.
    fn add_item(&mut self, attributes: &[Group], tokens: &[TokenTree]) {
        let is_test = attributes.iter().any(is_test_attribute);
        if !is_test && !attributes.iter().any(is_cfg_test) {
            return;
        }
        let Some(start) = attributes.first().map(|first| range(first).start) else {
            return;
        };
        // `mod tests;` ends before any brace; its file is known by its name.
        let body = tokens.iter().take_while(|token| !is_punct(token, ';')).find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
            _ => None,
        });
        self.stretches.extend(body.map(|body| start..range(body).end));
        if let (true, Some(TokenTree::Ident(name))) = (is_test, tokens.get(1)) {
            self.tests.push(Test {
                name: name.to_string(),
                line: name.span().start().line,
                docs: attributes.iter().filter(|it| is_named(it, "doc")).map(range).collect(),
            });
        }
    }

    fn place(&self, path: &str, offset: usize) -> Place {
        let documented = |test: &&Test| test.docs.iter().any(|doc| doc.contains(&offset));
        if is_misuse(path) {
            Place::Misuse
        } else if let Some(test) = self.tests.iter().find(documented) {
            Place::TestDoc(test.name.clone())
        } else if is_test_file(path) || self.stretches.iter().any(|it| it.contains(&offset)) {
            Place::TestCode
        } else {
            Place::Code
        }
    }
}

/// Tells whether a token may stand between the attributes of a function and its `fn`, as in `pub(crate) extern "C" fn`.
fn may_precede_item_keyword(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(word) => {
            ["pub", "async", "unsafe", "const", "extern"].iter().any(|qualifier| word == qualifier)
        }
        TokenTree::Literal(_) => true,
        TokenTree::Punct(_) => is_punct(token, '#'),
        TokenTree::Group(_) => false,
    }
}

/// Tells whether an attribute makes a function a test: its path ends in `test`, as in `tokio::test`.
fn is_test_attribute(attribute: &Group) -> bool {
    is_named(attribute, "test")
}

fn is_cfg_test(attribute: &Group) -> bool {
    let condition = attribute.stream().to_string().replace(' ', "");
    let mut words = condition.split(|c: char| !c.is_alphanumeric() && c != '_');
    is_named(attribute, "cfg") && words.any(|word| word == "test") && !condition.contains("not(test")
}

/// Tells whether the last segment of an attribute's path is `name`.
fn is_named(attribute: &Group, name: &str) -> bool {
    attribute
        .stream()
        .into_iter()
        .take_while(|token| matches!(token, TokenTree::Ident(_)) || is_punct(token, ':'))
        .filter(|token| !is_punct(token, ':'))
        .last()
        .is_some_and(|segment| segment.to_string() == name)
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn range(group: &Group) -> Range<usize> {
    group.span().byte_range()
}

fn is_misuse(path: &str) -> bool {
    format!("/{path}").contains("/tests/ui/")
}

fn is_test_file(path: &str) -> bool {
    path.trim_end_matches(".rs").split('/').any(|part| part == "tests" || part.ends_with("_tests"))
}

// The comparison.

/// Checks what a row claims.
fn check_row(row: &Row, sources: &[Source], problems: &mut Vec<String>) {
    let mut report = |problem: String| problems.push(format!("{TABLE}:{}: {} {problem}", row.line, row.id));
    match row.status {
        Status::Waived if is_empty(&row.note) => {
            report("is waived without a note: say there why it cannot apply".into());
        }
        Status::Open if is_empty(&row.note) => {
            report("is open without a note: say there what it waits for".into());
        }
        Status::Done if row.code.is_empty() => {
            report("is done without code: list the files that cite it".into());
        }
        Status::Done | Status::Waived | Status::Open => {}
    }
    if row.status == Status::Done {
        if row.tests.is_empty() {
            report("is done without a test: list the tests that cite it".into());
        }
        for path in &row.code {
            find_code(&row.id, path, sources).unwrap_or_else(&mut report);
        }
        for test in &row.tests {
            find_test(&row.id, test, sources).unwrap_or_else(&mut report);
        }
    } else if !row.code.is_empty() || !row.tests.is_empty() {
        report("lists code or tests but is not done: set it to done or empty those cells".into());
    }
}

fn find_code(id: &str, path: &str, sources: &[Source]) -> Result<(), String> {
    match sources.iter().find(|source| source.path == path) {
        None => Err(format!("lists the file `{path}`, which does not exist: correct the path")),
        Some(source) if !source.cites(id, &Place::Code) => Err(format!(
            "lists the file `{path}`, which does not cite it outside tests: cite it there in a comment, or take the file off"
        )),
        Some(_) => Ok(()),
    }
}

/// Finds a test by its name, or by its path if it is a program that must not compile.
fn find_test(id: &str, test: &str, sources: &[Source]) -> Result<(), String> {
    if test.contains('/') {
        return match sources.iter().find(|source| source.path == test) {
            None => Err(format!("lists the test `{test}`, which does not exist: correct the path")),
            Some(source) if !source.cites(id, &Place::Misuse) => Err(format!(
                "lists the test `{test}`, which does not cite it below a folder `tests/ui`: begin the file with `// {id}`"
            )),
            Some(_) => Ok(()),
        };
    }
    let place = Place::TestDoc(test.to_owned());
    if sources.iter().any(|source| source.cites(id, &place)) {
        return Ok(());
    }
    let mut namesakes = sources.iter().flat_map(|source| {
        let tests = source.tests.iter().filter(|it| it.name == test);
        tests.map(|it| format!("{}:{}", source.path, it.line))
    });
    Err(match namesakes.next() {
        None => format!("lists the test `{test}`, which does not exist: correct the name"),
        Some(at) => {
            format!("lists the test `{test}`, which does not cite it: begin its doc comment at {at} with `/// {id}`")
        }
    })
}

/// Checks that each citation of a file has a row that knows of it, once per id and place.
fn check_citations(source: &Source, rows: &BTreeMap<String, Row>, problems: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for citation in &source.citations {
        if !seen.insert((&citation.id, &citation.place)) {
            continue;
        }
        let problem = match rows.get(&citation.id) {
            None => Some(format!(
                "which has no row: add one to {TABLE}, correct the id, or say it in other words if no rule is meant"
            )),
            Some(row) => missing_in_row(row, &citation.place, &source.path),
        };
        problems.extend(problem.map(|problem| {
            let (path, line, id) = (&source.path, citation.line, &citation.id);
            format!("{path}:{line}: cites {id}, {problem}")
        }));
    }
}

/// Says what a row lacks, if anything, for a citation of it in this place of this file.
fn missing_in_row(row: &Row, place: &Place, path: &str) -> Option<String> {
    let (list, name) = match place {
        Place::TestDoc(test) => (&row.tests, test.as_str()),
        Place::Misuse => (&row.tests, path),
        Place::Code if LIBRARY_FOLDERS.iter().any(|it| path.starts_with(it)) => (&row.code, path),
        Place::TestCode | Place::Code => return None,
    };
    let at = format!("{TABLE}:{}", row.line);
    match row.status {
        Status::Done if list.iter().any(|it| it == name) => None,
        Status::Done => Some(format!("whose row does not list `{name}`: add it at {at}, or take the citation away")),
        Status::Waived => {
            Some(format!("which is waived: take the citation away, or set the row at {at} to done and list `{name}`"))
        }
        Status::Open => {
            Some(format!("which is open: set the row at {at} to done and list `{name}`, or take the citation away"))
        }
    }
}

// Tests of the comparison.

const HEAD: &str = "| id | rule | status | code | tests | note |\n|---|---|---|---|---|---|\n";
const DONE: &str = "| PORT-37 | Messages wait. | done | `rpc-core/src/port.rs` | `they_wait` | – |";
const OPEN: &str = "| PORT-37 | Messages wait. | open | – | – | with ports |";
const WAIVED: &str = "| PORT-37 | Messages wait. | waived | – | – | browser only |";
const PORT: &str = "rpc-core/src/port.rs";
const CODE: &str = "// PORT-37: they wait here.\nfn wait() {}\n";
const TEST: &str = "/// PORT-37\n#[test]\nfn they_wait() {}\n";

/// Compares a table of these rows with these files.
fn compare(rows: &[&str], files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    disagreements(&format!("# Rules\n\n{HEAD}{}\n", rows.join("\n")), &files)
}

/// Compares code and a test, in one file, with a table of these rows.
fn compare_code_and_test(rows: &[&str]) -> Vec<String> {
    compare(rows, &[(PORT, &format!("{CODE}{TEST}"))])
}

#[track_caller]
fn assert_only(problems: &[String], expected: &str) {
    assert!(problems.len() == 1 && problems[0].contains(expected), "expected {expected:?} alone, got {problems:#?}");
}

#[test]
fn a_done_row_with_code_and_test_is_fine() {
    assert_eq!(compare_code_and_test(&[DONE]), [""; 0]);
}

#[test]
fn open_and_waived_rows_that_nobody_cites_are_fine() {
    let waived = WAIVED.replace("PORT-37", "C7");

    let problems = compare(&[OPEN, &waived], &[(PORT, "fn wait() {}")]);

    assert_eq!(problems, [""; 0]);
}

#[test]
fn a_citation_without_a_row_is_reported_with_its_line() {
    let problems = compare(&[], &[("examples/e.rs", "fn main() {\n    // See C7.\n}")]);

    assert_only(&problems, "examples/e.rs:2: cites C7, which has no row");
}

#[test]
fn a_done_row_without_code_is_reported() {
    let row = DONE.replace("`rpc-core/src/port.rs`", "–");

    let problems = compare(&[&row], &[("tests/port.rs", TEST)]);

    assert_only(&problems, "SPEC.md:5: PORT-37 is done without code");
}

#[test]
fn a_done_row_without_a_test_is_reported() {
    let row = DONE.replace("`they_wait`", "–");

    let problems = compare(&[&row], &[(PORT, CODE)]);

    assert_only(&problems, "SPEC.md:5: PORT-37 is done without a test");
}

#[test]
fn a_listed_file_that_does_not_exist_is_reported() {
    let row = DONE.replace("port.rs`", "port.rs`, `src/gone.rs`");

    let problems = compare_code_and_test(&[&row]);

    assert_only(&problems, "the file `src/gone.rs`, which does not exist");
}

#[test]
fn a_listed_file_that_cites_a_rule_only_in_its_tests_is_reported() {
    let tests = format!("{TEST}#[cfg(test)]\nmod tests {{\n    // PORT-37\n}}\n");

    let problems = compare(&[DONE], &[(PORT, &tests)]);

    assert_only(&problems, "which does not cite it outside tests");
}

#[test]
fn a_listed_test_that_does_not_exist_is_reported() {
    let row = DONE.replace("`they_wait`", "`they_wait`, `they_hurry`");

    let problems = compare_code_and_test(&[&row]);

    assert_only(&problems, "the test `they_hurry`, which does not exist");
}

#[test]
fn a_listed_test_that_does_not_cite_the_rule_is_reported() {
    let test = "/// Explains.\n#[test]\nfn they_wait() {}";

    let problems = compare(&[DONE], &[(PORT, CODE), ("tests/port.rs", test)]);

    assert_only(&problems, "at tests/port.rs:3 with `/// PORT-37`");
}

#[test]
fn a_function_that_is_no_test_does_not_count() {
    let helper = "/// PORT-37\nfn they_wait() {}";

    let problems = compare(&[DONE], &[(PORT, CODE), ("tests/port.rs", helper)]);

    assert_only(&problems, "the test `they_wait`, which does not exist");
}

#[test]
fn a_test_that_cites_a_rule_whose_row_does_not_list_it_is_reported() {
    let other = "/// Of PORT-37.\n#[tokio::test]\nasync fn they_wait_again() {}";

    let problems = compare(&[DONE], &[(PORT, CODE), ("tests/a.rs", TEST), ("tests/b.rs", other)]);

    assert_only(&problems, "tests/b.rs:1: cites PORT-37, whose row does not list `they_wait_again`");
}

#[test]
fn a_file_that_cites_a_rule_whose_row_does_not_list_it_is_reported_once() {
    let other = "//! PORT-37.\n/* PORT-37 */";

    let problems = compare(&[DONE], &[(PORT, &format!("{CODE}{TEST}")), ("src/lib.rs", other)]);

    assert_only(&problems, "src/lib.rs:1: cites PORT-37, whose row");
}

#[test]
fn code_and_tests_that_cite_an_open_rule_are_reported() {
    let problems = compare_code_and_test(&[OPEN]);

    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems[0].contains("rpc-core/src/port.rs:1: cites PORT-37, which is open"));
    assert!(problems[1].contains("and list `they_wait`"));
}

#[test]
fn code_that_cites_a_waived_rule_is_reported() {
    let problems = compare(&[WAIVED], &[(PORT, CODE)]);

    assert_only(&problems, "cites PORT-37, which is waived");
}

#[test]
fn an_id_with_two_rows_is_reported() {
    let problems = compare_code_and_test(&[DONE, OPEN]);

    assert_only(&problems, "SPEC.md:6: PORT-37 already has a row in line 5: keep one");
}

#[test]
fn a_waived_row_without_a_reason_is_reported() {
    let problems = compare(&[&WAIVED.replace("browser only", "–")], &[]);

    assert_only(&problems, "SPEC.md:5: PORT-37 is waived without a note");
}

#[test]
fn an_open_row_without_a_reason_is_reported() {
    let problems = compare(&[&OPEN.replace("with ports", "")], &[]);

    assert_only(&problems, "SPEC.md:5: PORT-37 is open without a note");
}

#[test]
fn an_open_row_that_lists_a_test_is_reported() {
    let row = "| PORT-37 | Messages wait. | open | – | `they_wait` | with ports |";

    let problems = compare(&[row], &[]);

    assert_only(&problems, "PORT-37 lists code or tests but is not done");
}

#[test]
fn rows_that_cannot_be_read_are_reported() {
    let misread = |from: &str, to: &str| compare(&[&OPEN.replace(from, to)], &[]);

    assert_only(&misread("PORT-37", "PROT-37"), "`PROT-37` is no id");
    assert_only(&misread("PORT-37", "PORT-"), "`PORT-` is no id");
    assert_only(&misread("open", "wip"), "has the status `wip`");
    assert_only(&misread("wait", "wait | or not"), "and this one 7");
    assert_only(&misread("| – | – |", "| a.rs | – |"), "lists a.rs: put");
    assert_only(&misread("Messages wait.", ""), "PORT-37 has no text");
}

#[test]
fn a_program_that_must_not_compile_counts_as_a_test() {
    let row = DONE.replace("they_wait", "tests/ui/port_copied.rs");
    let program = "// PORT-37: a port cannot be copied.\nfn main() { copy(); copy() }";

    let problems = compare(&[&row], &[(PORT, CODE), ("tests/ui/port_copied.rs", program)]);

    assert_eq!(problems, [""; 0]);
}

#[test]
fn a_program_that_must_not_compile_and_is_not_listed_is_reported() {
    let program = ("rpc-macros/tests/ui/port_copied.rs", "// PORT-37");

    let problems = compare(&[DONE], &[(PORT, &format!("{CODE}{TEST}")), program]);

    assert_only(&problems, "does not list `rpc-macros/tests/ui/port_copied.rs`");
}

#[test]
fn a_listed_program_that_does_not_cite_the_rule_is_reported() {
    let row = DONE.replace("they_wait", "tests/ui/port_copied.rs");

    let problems = compare(&[&row], &[(PORT, CODE), ("tests/ui/port_copied.rs", "fn main() {}")]);

    assert_only(&problems, "begin the file with `// PORT-37`");
}

#[test]
fn tests_are_found_in_modules_and_macros_with_any_attributes_and_qualifiers() {
    let test = "#[cfg(test)] mod tests { proptest! { #![proptest_config(c())]
        /// C7, PORT-37
        #[cfg(not(loom))] #[test] #[should_panic(expected = \"x\")]
        pub(crate) async unsafe fn they_wait(x in 0..3, y: [u8; 2]) -> R { y }
    } }";
    let row = "| C7 | Holds. | done | `src/lib.rs` | `they_wait` | – |";

    let problems = compare(&[DONE, row], &[(PORT, CODE), ("src/lib.rs", "//! C7"), ("src/a.rs", test)]);

    assert_eq!(problems, [""; 0]);
}

#[test]
fn every_comment_of_library_code_cites() {
    for code in [
        "//! PORT-37",
        "/// See [`x`] (PORT-37).\nfn f() {}",
        "/* ü\n * PORT-37's */ fn f() {}",
        "fn f() { g(1 /* PORT-37 */) }",
        "m! { x // PORT-37, C7\n }",
        "#[cfg(not(test))] mod m { // PORT-37\n }",
        "#[cfg(test)] mod tests; fn f() { // PORT-37\n }",
    ] {
        let row = DONE.replace("port.rs", "a.rs");
        let c7 = WAIVED.replace("PORT-37", "C7");

        let problems = compare(&[&row, &c7], &[("tests/a.rs", TEST), ("rpc-core/src/a.rs", code)]);

        let about_c7 = usize::from(code.contains("C7"));
        assert_eq!(problems.len(), about_c7, "{code}: {problems:#?}");
    }
}

#[test]
fn what_is_no_comment_or_no_whole_word_does_not_cite() {
    for code in [
        "struct C7; const X: &str = \"// PORT-37 \\\" C7\";",
        "const X: &str = r#\"\n/// PORT-37 \"\n/* C7 */\"#;",
        "fn f<'a>(c: char) -> bool { c == '\"' || c == '/' } // UTF-8, C7x, _C7, XPORT-37, PORT-37a",
    ] {
        assert_eq!(compare(&[], &[("src/lib.rs", code)]), [""; 0], "{code}");
    }
}

#[test]
fn test_code_may_mention_any_rule_that_has_a_row() {
    for (path, code) in [
        ("src/a.rs", "#[test] fn f() { // PORT-37\n }"),
        ("src/a.rs", "#[cfg(all(test, not(loom)))] mod t { /* PORT-37 */ }"),
        ("src/a/tests.rs", "//! PORT-37"),
        ("src/a/loom_tests.rs", "/// PORT-37\nfn helper() {}"),
        ("tests/a.rs", "// PORT-37"),
        ("examples/a.rs", "// PORT-37"),
    ] {
        assert_eq!(compare(&[OPEN], &[(path, code)]), [""; 0], "{path}: {code}");
    }
}

#[test]
fn a_file_that_is_not_made_of_rust_tokens_is_reported() {
    let problems = compare(&[], &[("tests/ui/brace.rs", "fn main() {")]);

    assert_only(&problems, "tests/ui/brace.rs: does not split into Rust tokens");
}
