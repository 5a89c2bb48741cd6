//! Label selectors, in Kubernetes' syntax and with its meaning.
//!
//! `app=web`, `app==web`, `app!=web`, `app in (web,api)`, `app notin (web)`, `app`, `!app`, `weight>5`, `weight<5`,
//! joined by commas: all have to hold. `!=` and `notin` also hold for a container that lacks the label.

use crate::model::{Container, label};

/// Requirements, all of which have to hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Exists,
    Lacks,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl Selector {
    /// Reads a selector. The error says what is expected, and where.
    pub fn parse(text: &str) -> Result<Selector, String> {
        let mut parser = Parser { rest: text };
        let mut requirements = Vec::new();
        if parser.peek() == Token::End {
            return Ok(Selector(requirements));
        }
        loop {
            requirements.push(parser.requirement()?);
            match parser.next() {
                Token::End => return Ok(Selector(requirements)),
                Token::Symbol(",") => {}
                other => return Err(parser.wanted("a comma or the end", other)),
            }
        }
    }

    /// Whether the container's labels meet the selector. A label comes from the container's merged labels, as in the
    /// reference, otherwise from its pod.
    pub fn matches(&self, container: &Container) -> bool {
        self.0.iter().all(|it| it.test.holds(label(container, &it.key)))
    }
}

impl Test {
    fn holds(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|v| v.parse::<i64>().ok());
        match self {
            Test::Exists => value.is_some(),
            Test::Lacks => value.is_none(),
            Test::In(values) => value.is_some_and(|v| values.iter().any(|w| w == v)),
            Test::NotIn(values) => value.is_none_or(|v| values.iter().all(|w| w != v)),
            Test::Above(bound) => number().is_some_and(|n| n > *bound),
            Test::Below(bound) => number().is_some_and(|n| n < *bound),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Symbol(&'static str),
    End,
}

/// All symbols, longer ones first, so that `==` is not read as two `=`.
const SYMBOLS: &[&str] = &["==", "!=", "=", "!", "(", ")", ",", "<", ">"];

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        let rest = self.rest.trim_start();
        if rest.is_empty() {
            return Token::End;
        }
        match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            Some(symbol) => Token::Symbol(symbol),
            None => {
                let is_end = |c: char| c.is_whitespace() || "=!(),<>".contains(c);
                Token::Word(&rest[..rest.find(is_end).unwrap_or(rest.len())])
            }
        }
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        let length = match token {
            Token::Word(text) => text.len(),
            Token::Symbol(text) => text.len(),
            Token::End => 0,
        };
        self.rest = &self.rest.trim_start()[length..];
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        if self.peek() == Token::Symbol("!") {
            self.next();
            return Ok(Requirement { key: self.key()?, test: Test::Lacks });
        }
        let key = self.key()?;
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(Requirement { key, test: Test::Exists });
        }
        let test = match self.next() {
            Token::Symbol("=" | "==") => Test::In(vec![self.value()]),
            Token::Symbol("!=") => Test::NotIn(vec![self.value()]),
            Token::Symbol(">") => Test::Above(self.number()?),
            Token::Symbol("<") => Test::Below(self.number()?),
            Token::Word("in") => Test::In(self.values()?),
            Token::Word("notin") => Test::NotIn(self.values()?),
            other => return Err(self.wanted("one of =, ==, !=, <, >, in, notin", other)),
        };
        Ok(Requirement { key, test })
    }

    fn key(&mut self) -> Result<String, String> {
        match self.next() {
            Token::Word(key) => Ok(key.to_owned()),
            other => Err(self.wanted("a label's key", other)),
        }
    }

    /// A value may be empty: `app=` asks for a label without a value.
    fn value(&mut self) -> String {
        match self.peek() {
            Token::Word(value) => {
                self.next();
                value.to_owned()
            }
            _ => String::new(),
        }
    }

    fn number(&mut self) -> Result<i64, String> {
        let token = self.next();
        let number = if let Token::Word(word) = token { word.parse().ok() } else { None };
        number.ok_or_else(|| self.wanted("a whole number", token))
    }

    /// `(a, b)`. An empty place is the empty value.
    fn values(&mut self) -> Result<Vec<String>, String> {
        match self.next() {
            Token::Symbol("(") => {}
            other => return Err(self.wanted("(", other)),
        }
        let mut values = Vec::new();
        loop {
            values.push(self.value());
            match self.next() {
                Token::Symbol(",") => {}
                Token::Symbol(")") => return Ok(values),
                other => return Err(self.wanted("a comma or )", other)),
            }
        }
    }

    fn wanted(&self, what: &str, found: Token) -> String {
        let found = match found {
            Token::Word(text) => format!("{text:?}"),
            Token::Symbol(text) => format!("{text:?}"),
            Token::End => "the end of the text".into(),
        };
        let before = if self.rest.is_empty() { String::new() } else { format!(" before {:?}", self.rest) };
        format!("a label selector; expected {what}, found {found}{before}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Kind, Labels};

    fn matches(selector: &str) -> bool {
        let mut c = Container::new("c".into(), Kind::Container);
        let labels = [("app", "web"), ("tier", ""), ("weight", "7"), ("example.com/in", "notin")];
        c.labels = labels.into_iter().collect::<Labels>().into();
        Selector::parse(selector).unwrap_or_else(|e| panic!("{selector}: {e}")).matches(&c)
    }

    #[test]
    fn every_form_holds_and_fails() {
        for yes in [
            "",
            "  ",
            "app",
            "!missing",
            "! missing",
            "app=web",
            "app==web",
            "app = web",
            "app!=api",
            "missing!=x",
            "app in (web)",
            "app in (api,web)",
            "app in( api , web )",
            "missing notin (a,b)",
            "app notin (api)",
            "app=web,tier,!missing",
            "tier=",
            "tier in ()",
            "tier in (a,)",
            "weight>6",
            "weight < 8",
            "example.com/in=notin",
            "example.com/in in (notin)",
            "app notin ()",
            "missing!=",
        ] {
            assert!(matches(yes), "{yes:?}");
        }
        for no in [
            "missing",
            "!app",
            "app=api",
            "app==",
            "app!=web",
            "app in (api)",
            "app in ()",
            "app notin (api,web)",
            "app,missing",
            "missing=",
            "missing in (a)",
            "weight>7",
            "weight<7",
            "app>1",
            "missing<1",
            "tier!=",
        ] {
            assert!(!matches(no), "{no:?}");
        }
    }

    #[test]
    fn words_of_the_syntax_may_be_keys() {
        assert!(!matches("in"));
        assert!(matches("!notin"));
        assert!(matches("in notin (in, notin)"));
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for (bad, part) in [
            (",", "expected a label's key, found \",\""),
            ("app,", "expected a label's key, found the end of the text"),
            ("app web", "expected one of =, ==, !=, <, >, in, notin, found \"web\""),
            ("app in web", "expected (, found \"web\""),
            ("app in (web", "expected a comma or ), found the end of the text"),
            ("app in (web api)", "expected a comma or ), found \"api\" before \")\""),
            ("app=web=x", "expected a comma or the end, found \"=\" before \"x\""),
            ("!app=web", "a comma or the end"),
            ("!!app", "a label's key"),
            ("=web", "a label's key"),
            ("weight>heavy", "expected a whole number, found \"heavy\""),
            ("app===web", "a comma or the end"),
            ("(app)", "a label's key"),
        ] {
            let error = Selector::parse(bad).expect_err(bad);
            assert!(error.contains(part), "{bad}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_selector_or_refused_with_words(text in "([a-z0-9é]|in|notin|[=!(),<> \t]){0,24}") {
            match Selector::parse(&text) {
                Ok(selector) => { selector.matches(&Container::new("c".into(), Kind::Sandbox)); }
                Err(words) => proptest::prop_assert!(words.contains("expected "), "{}", words),
            }
        }
    }
}
