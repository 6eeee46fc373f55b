//! Finds the people in a file of vCards ([RFC 6350](https://www.rfc-editor.org/rfc/rfc6350)).
//!
//! The file is cut before each `BEGIN:VCARD` and after each `END:VCARD`, and every piece is read by itself: a malformed card costs
//! only itself. What is inside a card is left to [`calcard`], the opening of the file and the showing of warnings to the caller.

use std::{fmt, slice};

use calcard::{
    Entry, Parser,
    vcard::{VCard, VCardEntry, VCardParameterName, VCardParameterValue, VCardProperty, VCardValue, VCardVersion},
};

use super::Contact;

/// What a file of vCards held, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cards {
    /// One contact for each well-formed card.
    pub(crate) contacts: Vec<Contact>,
    /// One warning for each malformed card, and for each run of text outside of the cards.
    pub(crate) warnings: Vec<Warning>,
}

/// A piece of the file that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    /// The card's number in the file, from 1, counting malformed ones; `None` for text outside of the cards.
    pub(crate) card: Option<usize>,
    /// The line it begins on, from 1: for a card, the one with its `BEGIN:VCARD`.
    pub(crate) line: usize,
    /// What is wrong with it, going on from "card 17".
    pub(crate) reason: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { card, line, reason } = self;
        match card {
            Some(card) => write!(f, "card {card} (line {line}): {reason}; left out"),
            None => write!(f, "line {line}: {reason}; ignored"),
        }
    }
}

/// Reads the cards of a file: vCard 3.0 and 4.0, and the 2.1 that telephones still export.
///
/// Lines may end in CRLF or LF; a byte order mark is skipped. No input makes it panic.
pub(crate) fn parse(bytes: &[u8]) -> Cards {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let mut cards = Cards::default();
    let mut numbers = (1..).peekable();
    for piece in pieces(&lines) {
        let card = numbers.next_if(|_| piece.is_card());
        match piece.contact() {
            Ok(contact) => cards.contacts.push(contact),
            Err(reason) => cards.warnings.push(Warning { card, line: piece.line, reason }),
        }
    }
    cards
}

/// Cuts the file before each `BEGIN:VCARD` and after each `END:VCARD`, and leaves out what is blank.
fn pieces<'a>(lines: &'a [&'a [u8]]) -> impl Iterator<Item = Piece<'a>> {
    let pieces = numbered(lines, 1, |line, next| !ends_card(line) && !begins_card(next));
    pieces.filter_map(|(line, lines)| {
        let blank = lines.iter().position(|line| !is_blank(line))?;
        Some(Piece { line: line + blank, lines: &lines[blank..] })
    })
}

/// Groups the lines that stay `together`; each group comes with the number of its first line.
fn numbered<'a>(
    lines: &'a [&'a [u8]],
    first: usize,
    together: fn(&&[u8], &&[u8]) -> bool,
) -> impl Iterator<Item = (usize, &'a [&'a [u8]])> {
    lines.chunk_by(together).scan(first, |next, group| {
        let number = *next;
        *next += group.len();
        Some((number, group))
    })
}

fn begins_card(line: &[u8]) -> bool {
    line.trim_ascii_end().eq_ignore_ascii_case(b"BEGIN:VCARD")
}

fn ends_card(line: &[u8]) -> bool {
    line.trim_ascii_end().eq_ignore_ascii_case(b"END:VCARD")
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

/// True for a line that goes on with the one before it.
fn is_folded(line: &[u8]) -> bool {
    line.starts_with(b" ") || line.starts_with(b"\t")
}

/// Lines that belong together: a card, or what stands between two cards.
struct Piece<'a> {
    /// The number of its first line in the file.
    line: usize,
    /// The lines with their ends; the first is not blank.
    lines: &'a [&'a [u8]],
}

impl Piece<'_> {
    /// False for text between cards; a card that lacks its `BEGIN:VCARD` or `END:VCARD` is still one.
    fn is_card(&self) -> bool {
        self.has_begin() || self.has_end()
    }

    fn has_begin(&self) -> bool {
        self.lines.first().is_some_and(|line| begins_card(line))
    }

    fn has_end(&self) -> bool {
        self.lines.last().is_some_and(|line| ends_card(line))
    }

    /// Reads the one contact of a card, or tells what is wrong with it.
    fn contact(&self) -> Result<Contact, String> {
        match (self.has_begin(), self.has_end()) {
            (true, true) => self.contact_of_whole_card(),
            (true, false) => Err("has no END:VCARD".into()),
            (false, true) => Err("has no BEGIN:VCARD".into()),
            (false, false) => Err("is not part of a card".into()),
        }
    }

    fn contact_of_whole_card(&self) -> Result<Contact, String> {
        let card = read(&self.text()?)?;
        if version(&card)? >= VCardVersion::V3_0 {
            self.check_colons()?;
        }
        let name = name(&card).ok_or("has no name (FN or N)")?;
        let email = preferred(&card, &VCardProperty::Email);
        Ok(Contact { name, email })
    }

    fn text(&self) -> Result<String, String> {
        String::from_utf8(self.lines.concat())
            // Some writers fold between the bytes of one character, which is UTF-8 again once unfolded.
            .or_else(|_| String::from_utf8(unfold(self.lines)))
            .map_err(|_| "is not UTF-8".into())
    }

    /// Refuses a line that is no property; the parser would skip it, and with it, perhaps, an address, without a word.
    ///
    /// Not for a 2.1 card, whose long values go on in lines that need neither a colon nor a space.
    fn check_colons(&self) -> Result<(), String> {
        let mut properties = numbered(self.lines, self.line, |_, next| is_folded(next));
        match properties.find(|(_, lines)| lacks_colon(lines)) {
            Some((line, _)) => Err(format!("has no colon in line {line}")),
            None => Ok(()),
        }
    }
}

fn lacks_colon(lines: &[&[u8]]) -> bool {
    let has_colon = lines.iter().any(|line| line.contains(&b':'));
    !has_colon && !lines.iter().all(|line| is_blank(line))
}

/// Joins folded lines, as bytes.
fn unfold(lines: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in lines {
        if is_folded(line) {
            while text.pop_if(|byte| matches!(byte, b'\r' | b'\n')).is_some() {}
            text.extend_from_slice(&line[1..]);
        } else {
            text.extend_from_slice(line);
        }
    }
    text
}

/// Has the text of one card parsed.
fn read(text: &str) -> Result<VCard, String> {
    let mut parser = Parser::new(text);
    match (parser.entry(), parser.entry()) {
        (Entry::VCard(card), Entry::Eof) => Ok(card),
        // A BEGIN or END of something else ends the card for the parser, and the rest of it is then another entry.
        _ => Err("does not read as one card".into()),
    }
}

fn version(card: &VCard) -> Result<VCardVersion, String> {
    let entry = card.property(&VCardProperty::Version).ok_or("has no VERSION")?;
    let version = text(entry).unwrap_or_default();
    VCardVersion::try_parse(version).ok_or_else(|| format!("has an unknown VERSION ({version:?})"))
}

/// The name to show: FN, or what can be made of N, which many 2.1 cards have alone.
fn name(card: &VCard) -> Option<String> {
    preferred(card, &VCardProperty::Fn).or_else(|| structured_name(card))
}

/// Joins the parts of N: prefix, given names, additional names, family names, suffix.
fn structured_name(card: &VCard) -> Option<String> {
    let parts = &card.property(&VCardProperty::N)?.values;
    let spoken = [3, 1, 2, 0, 4].into_iter().filter_map(|part| parts.get(part));
    let words: Vec<&str> = spoken.flat_map(texts).map(|word| word.trim()).filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn texts(value: &VCardValue) -> &[String] {
    match value {
        VCardValue::Text(text) => slice::from_ref(text),
        VCardValue::Component(texts) => texts,
        _ => &[],
    }
}

/// The value of a property that the card prefers, or else its first; empty ones do not count.
fn preferred(card: &VCard, property: &VCardProperty) -> Option<String> {
    let entries = card.properties(property).filter_map(|entry| Some((rank(entry), text(entry)?)));
    let (_, text) = entries.min_by_key(|(rank, _)| *rank)?;
    Some(text.to_owned())
}

/// How much an entry is preferred, 1 being the most: `PREF=1` in vCard 4.0, `TYPE=pref` in 3.0, a bare `PREF` in 2.1.
fn rank(entry: &VCardEntry) -> u32 {
    let ranks = entry.params.iter().filter_map(|param| match (&param.name, &param.value) {
        (VCardParameterName::Pref, VCardParameterValue::Integer(rank)) => Some(*rank),
        (VCardParameterName::Pref, VCardParameterValue::Null) => Some(1),
        (VCardParameterName::Type, VCardParameterValue::Text(kind)) if kind.eq_ignore_ascii_case("pref") => Some(1),
        _ => None,
    });
    ranks.min().unwrap_or(u32::MAX)
}

/// The unescaped and trimmed value of an entry, unless that is empty.
fn text(entry: &VCardEntry) -> Option<&str> {
    let text = entry.values.first()?.as_text()?.trim();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &[u8] = include_bytes!("../data/contacts.vcf");

    fn card(properties: &str) -> String {
        format!("BEGIN:VCARD\r\nVERSION:4.0\r\n{properties}\r\nEND:VCARD\r\n")
    }

    fn contact(name: &str, email: Option<&str>) -> Contact {
        Contact { name: name.into(), email: email.map(Into::into) }
    }

    fn contacts(file: impl AsRef<[u8]>) -> Vec<Contact> {
        let cards = parse(file.as_ref());
        assert_eq!(cards.warnings, []);
        cards.contacts
    }

    /// What is said of a malformed card, or of stray text, between two good cards.
    fn warning_between_two_cards(file: impl AsRef<[u8]>) -> String {
        let (before, after) = (card("FN:Before"), card("FN:After"));
        let cards = parse(&[before.as_bytes(), file.as_ref(), after.as_bytes()].concat());
        let names: Vec<&str> = cards.contacts.iter().map(|contact| &*contact.name).collect();
        assert_eq!(names, ["Before", "After"]);
        assert_eq!(cards.warnings.len(), 1, "{:?}", cards.warnings);
        cards.warnings[0].to_string()
    }

    #[test]
    fn all_cards_of_the_data_file_load() {
        let contacts = contacts(DATA);

        assert_eq!(contacts.len(), 200);
        let without_email = contacts.iter().filter(|contact| contact.email.is_none());
        assert_eq!(without_email.count(), 28);
        let tricky = contact("Nils Semikolon; Komma, Backslash\\ & Söhne", Some("nils@example.org"));
        assert!(contacts.contains(&tricky));
    }

    #[test]
    fn an_empty_file_holds_nothing() {
        assert_eq!(parse(b""), Cards::default());
        assert_eq!(parse(b"\xEF\xBB\xBF"), Cards::default());
        assert_eq!(parse(b" \r\n\n\t\r\n"), Cards::default());
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        let file = format!("\u{feff}{}", card("FN:Anna"));

        assert_eq!(contacts(file), [contact("Anna", None)]);
    }

    #[test]
    fn lines_may_end_in_lf_and_cards_in_blank_lines() {
        let file = card("FN:Anna").replace('\r', "") + "\n \n" + &card("FN:Ben").replace('\r', "");

        assert_eq!(contacts(file), [contact("Anna", None), contact("Ben", None)]);
    }

    #[test]
    fn upper_and_lower_case_are_the_same() {
        let file = "begin:vcard\r\nversion:3.0\r\nfn:Anna\r\nemail:a@example.org\r\nEnd:vCard\r\n";

        assert_eq!(contacts(file), [contact("Anna", Some("a@example.org"))]);
    }

    #[test]
    fn a_name_is_unescaped_and_trimmed() {
        let file = card(r"FN: Semi\; Comma\, Back\\nslash\nLine\N ");

        assert_eq!(contacts(file)[0].name, "Semi; Comma, Back\\nslash\nLine");
    }

    #[test]
    fn folded_lines_are_joined_and_keep_their_spaces() {
        let file = card("FN:Anna \r\n Mar\r\n\tia  \r\n  Lee\r\nEMAIL\r\n ;TYPE=home:a@\r\n example.org");

        assert_eq!(contacts(file), [contact("Anna Maria   Lee", Some("a@example.org"))]);
    }

    #[test]
    fn a_fold_inside_a_character_is_mended() {
        let file = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zo\xC3\r\n \xAB\r\nEND:VCARD\r\n";

        assert_eq!(contacts(file), [contact("Zoë", None)]);
    }

    #[test]
    fn a_folded_end_is_part_of_the_value_before_it() {
        assert_eq!(contacts(card("FN:Anna \r\n END:VCARD"))[0].name, "Anna END:VCARD");
    }

    #[test]
    fn the_first_email_is_taken_unless_another_is_preferred() {
        for (emails, expected) in [
            ("EMAIL:a@x\r\nEMAIL:b@x", Some("a@x")),
            ("EMAIL:a@x\r\nitem1.EMAIL;PREF=1:b@x", Some("b@x")),
            ("EMAIL;PREF=9:a@x\r\nEMAIL;PREF=2:b@x", Some("b@x")),
            ("EMAIL:a@x\r\nEMAIL;TYPE=work,pref:b@x", Some("b@x")),
            ("EMAIL:a@x\r\nEMAIL;type=WORK;type=PREF:b@x", Some("b@x")),
            ("EMAIL;PREF=1: \r\nEMAIL: b@x ", Some("b@x")),
            ("EMAIL;PREF=1:", None),
        ] {
            let file = card(&format!("FN:Anna\r\n{emails}"));

            assert_eq!(contacts(file), [contact("Anna", expected)], "{emails}");
        }
    }

    #[test]
    fn a_card_without_fn_takes_its_name_from_n() {
        assert_eq!(
            contacts(card("N:van der Berg;Anna;Maria,Lou;Dr.;M.A."))[0].name,
            "Dr. Anna Maria Lou van der Berg M.A."
        );
        assert_eq!(contacts(card("FN: \r\nN:;Anna;;;"))[0].name, "Anna");
    }

    #[test]
    fn a_2_1_card_is_read_with_its_quoted_printable() {
        let file = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;=4A=C3=BC=\r\n=72=67;;;\r\n\
            EMAIL;HOME:a@example.org\r\nEMAIL;PREF;INTERNET:b@example.org\r\nEND:VCARD\r\n";

        assert_eq!(contacts(file), [contact("Jürg", Some("b@example.org"))]);
    }

    #[test]
    fn a_card_without_end_costs_only_itself() {
        let unended = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Lost\r\n";

        assert_eq!(warning_between_two_cards(unended), "card 2 (line 5): has no END:VCARD; left out");
        assert_eq!(parse(unended.as_bytes()).warnings[0].to_string(), "card 1 (line 1): has no END:VCARD; left out");
    }

    #[test]
    fn a_card_without_begin_costs_only_itself() {
        let unbegun = "\r\nVERSION:4.0\r\nFN:Lost\r\nEND:VCARD\r\n";

        assert_eq!(warning_between_two_cards(unbegun), "card 2 (line 6): has no BEGIN:VCARD; left out");
    }

    #[test]
    fn a_card_without_a_name_is_left_out() {
        assert_eq!(
            warning_between_two_cards(card("N:;;;;\r\nFN:")),
            "card 2 (line 5): has no name (FN or N); left out"
        );
    }

    #[test]
    fn a_line_without_a_colon_is_named() {
        let reason = "card 2 (line 5): has no colon in line 9; left out";

        assert_eq!(warning_between_two_cards(card("FN:Lost\r\n\r\nNonsense\r\n here")), reason);
        assert_eq!(warning_between_two_cards(card("FN:Lost\r\n\r\nEMAIL;TYPE=home")), reason);
    }

    #[test]
    fn a_card_that_is_not_utf_8_is_left_out() {
        let latin_1 = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:J\xFCrg\r\nEND:VCARD\r\n";

        assert_eq!(warning_between_two_cards(latin_1), "card 2 (line 5): is not UTF-8; left out");
    }

    #[test]
    fn a_card_of_no_known_version_is_left_out() {
        let unversioned = card("FN:Lost").replace("VERSION:4.0\r\n", "");
        let unknown = card("FN:Lost").replace("4.0", "5.0");

        assert_eq!(warning_between_two_cards(unversioned), "card 2 (line 5): has no VERSION; left out");
        assert_eq!(warning_between_two_cards(unknown), "card 2 (line 5): has an unknown VERSION (\"5.0\"); left out");
    }

    #[test]
    fn a_card_with_something_else_inside_is_left_out() {
        let warning = warning_between_two_cards(card("FN:Lost\r\nBEGIN:VEVENT\r\nEND:VEVENT"));

        assert_eq!(warning, "card 2 (line 5): does not read as one card; left out");
    }

    #[test]
    fn text_between_cards_is_one_warning_and_no_card() {
        let file = format!("stray\r\n\r\ntext\r\n{}more\r\n{}", card("FN:Anna"), card("FN:"));

        let warnings: Vec<String> = parse(file.as_bytes()).warnings.iter().map(ToString::to_string).collect();

        let expected = [
            "line 1: is not part of a card; ignored",
            "line 8: is not part of a card; ignored",
            "card 2 (line 9): has no name (FN or N); left out",
        ];
        assert_eq!(warnings, expected);
    }

    #[test]
    fn a_file_cut_off_anywhere_loses_only_its_last_card() {
        let all = contacts(DATA);

        for end in 0..3_000 {
            let cards = parse(&DATA[..end]);

            assert!(all.starts_with(&cards.contacts), "cut off at byte {end}");
            assert!(cards.warnings.len() <= 1, "cut off at byte {end}: {:?}", cards.warnings);
        }
    }
}
