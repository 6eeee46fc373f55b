//! Errors as texts that travel, with what caused them.

use std::{
    error::Error,
    fmt::{self, Display},
};

use serde::{Deserialize, Serialize};

/// What an error said, and what each of its sources said: an error that travels, for the methods of a service that fail for reasons of
/// others.
///
/// It is made of any error, and its [`source`](Error::source) is the next text. At most [`MOST`](Self::MOST) texts are kept.
///
/// There is no `From` for every error, because a report is an error itself; [`OrReport`] makes one before the `?`.
///
/// # Examples
/// ```
/// use std::error::Error;
/// use handover_core::rpc::{OrReport, Report};
///
/// fn port_of(address: &str) -> Result<u16, Report> {
///     let (_, port) = address.split_once(':').ok_or("no port in the address")?;
///     port.parse().or_report_as(format_args!("the port of `{address}`"))
/// }
///
/// let error = port_of("here:there").unwrap_err();
/// assert_eq!(error.to_string(), "the port of `here:there`");
/// assert_eq!(error.source().unwrap().to_string(), "invalid digit found in string");
/// assert_eq!(format!("{error:#}"), "the port of `here:there`: invalid digit found in string");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Report {
    text: String,
    source: Option<Box<Self>>,
}

impl Report {
    /// How many texts there are at most.
    pub const MOST: usize = 64;

    /// What this error says, and its sources.
    pub fn new(error: &(impl Error + ?Sized)) -> Self {
        Self::with_sources(error.to_string(), error.source())
    }

    /// A text, and what its sources say. Knows no type of an error, so it is there once for all.
    fn with_sources(text: String, source: Option<&(dyn Error + 'static)>) -> Self {
        let sources = std::iter::successors(source, |&error| error.source()).map(ToString::to_string);
        Self::of_texts([text].into_iter().chain(sources))
    }

    /// Says this, and names itself as the source.
    #[must_use]
    pub fn context(self, text: impl Display) -> Self {
        let texts: Vec<_> = self.texts().map(str::to_owned).collect();
        Self::of_texts([text.to_string()].into_iter().chain(texts))
    }

    /// What it says, and then what each source says.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self), |report| report.source.as_deref()).map(|report| report.text.as_str())
    }

    /// The first texts, as many as there may be. None at all is an empty one.
    fn of_texts(texts: impl Iterator<Item = String>) -> Self {
        let texts: Vec<_> = texts.take(Self::MOST).collect();
        let linked = |source, text| Some(Box::new(Self { text, source }));
        texts.into_iter().rev().fold(None, linked).map_or_else(|| Self::from(""), |report| *report)
    }
}

impl Display for Report {
    /// The first text; with `{:#}` all of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) if f.alternate() => write!(f, "{}: {source:#}", self.text),
            _ => f.write_str(&self.text),
        }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Report")?;
        f.debug_list().entries(self.texts()).finish()
    }
}

impl Error for Report {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<&str> for Report {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Report {
    fn from(text: String) -> Self {
        Self { text, source: None }
    }
}

impl From<Box<dyn Error>> for Report {
    fn from(error: Box<dyn Error>) -> Self {
        Self::new(&*error)
    }
}

impl From<Box<dyn Error + Send + Sync>> for Report {
    fn from(error: Box<dyn Error + Send + Sync>) -> Self {
        Self::new(&*error)
    }
}

impl From<Vec<String>> for Report {
    fn from(texts: Vec<String>) -> Self {
        Self::of_texts(texts.into_iter())
    }
}

impl From<Report> for Vec<String> {
    fn from(report: Report) -> Self {
        report.texts().map(str::to_owned).collect()
    }
}

/// Makes a [`Report`] of the error in a result, so that `?` hands it on.
pub trait OrReport<T> {
    /// Makes a report of the error.
    ///
    /// # Errors
    /// The report.
    fn or_report(self) -> Result<T, Report>;

    /// Makes a report that says this, with the error as its source.
    ///
    /// # Errors
    /// The report.
    fn or_report_as(self, text: impl Display) -> Result<T, Report>;
}

impl<T, E: Error> OrReport<T> for Result<T, E> {
    fn or_report(self) -> Result<T, Report> {
        self.map_err(|error| Report::new(&error))
    }

    fn or_report_as(self, text: impl Display) -> Result<T, Report> {
        self.map_err(|error| Report::new(&error).context(text))
    }
}

/// What an error says, with its sources, in one line. A source that is in the text before it is not said twice.
pub(crate) fn in_one_line(error: &dyn Error) -> String {
    line_of(&Report::new(error))
}

fn line_of(report: &Report) -> String {
    report.texts().fold(String::new(), |line, text| match line.as_str() {
        "" => text.to_owned(),
        said if is_in(text, said) => line,
        said => format!("{said}: {text}"),
    })
}

/// As `str::contains`, which knows a faster way for long texts, and is longer itself.
fn is_in(text: &str, said: &str) -> bool {
    text.is_empty() || said.as_bytes().windows(text.len()).any(|part| part == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error with so many sources, or without end.
    #[derive(Debug)]
    struct Chain(Option<Box<Self>>, &'static str);

    impl Display for Chain {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.1)
        }
    }

    impl Error for Chain {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            match &self.0 {
                Some(source) => Some(&**source),
                None if self.1 == "again" => Some(&Self(None, "again")),
                None => None,
            }
        }
    }

    fn chain(texts: &[&'static str]) -> Chain {
        let [rest @ .., last] = texts else { panic!("no texts") };
        rest.iter().rev().fold(Chain(None, last), |source, text| Chain(Some(Box::new(source)), text))
    }

    #[test]
    fn a_report_says_what_every_source_said_and_travels_with_it() {
        let report = Report::new(&chain(&["no contact", "no file", "no disk"]));

        let bytes = postcard::to_allocvec(&report).unwrap();
        let arrived: Report = postcard::from_bytes(&bytes).unwrap();

        assert_eq!(arrived, report);
        let sources: Vec<_> = std::iter::successors(Some(&arrived as &dyn Error), |&error| error.source())
            .map(ToString::to_string)
            .collect();
        assert_eq!(sources, ["no contact", "no file", "no disk"]);
    }

    #[test]
    fn a_chain_without_end_is_cut() {
        let report = Report::new(&chain(&["first", "again"]));

        assert_eq!(report.texts().count(), Report::MOST);
    }

    #[test]
    fn more_texts_than_there_may_be_are_read_as_the_first_of_them() {
        let texts: Vec<_> = (0..100_000).map(|number| number.to_string()).collect();
        let bytes = postcard::to_allocvec(&texts).unwrap();

        let report: Report = postcard::from_bytes(&bytes).unwrap();

        assert_eq!(report.texts().last(), Some("63"));
    }

    #[test]
    fn of_no_texts_at_all_an_empty_report_is_read() {
        let report: Report = postcard::from_bytes(&[0]).unwrap();

        assert_eq!(report, Report::from(""));
    }

    #[test]
    fn in_one_line_nothing_is_said_twice() {
        let error = chain(&["no contact: no file", "no file", "no disk"]);

        assert_eq!(in_one_line(&error), "no contact: no file: no disk");
    }

    #[test]
    fn a_context_is_said_first() {
        let report = Err::<(), _>(chain(&["no file", "no disk"])).or_report_as("no contact").unwrap_err();

        assert_eq!(format!("{report:#}"), "no contact: no file: no disk");
        assert_eq!(format!("{report:?}"), r#"Report["no contact", "no file", "no disk"]"#);
    }
}
