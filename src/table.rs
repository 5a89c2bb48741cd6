//! Tables of constants: each is declared once, and serves Rust, the C header and the documentation.

use std::ffi::CStr;

/// One constant of a table.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Constant<T: 'static> {
    /// Its name, in Rust and in C.
    pub name: &'static str,
    /// Its word, for C.
    pub(crate) c_word: &'static CStr,
    /// Its value.
    pub value: T,
    /// Its meaning.
    pub doc: &'static str,
}

impl<T> Constant<T> {
    /// Its word: how JSON and every binding name the value.
    pub fn word(&self) -> &'static str {
        self.c_word.to_str().expect("words are ASCII")
    }
}

/// The word for a value.
pub(crate) fn word_of<T: PartialEq>(table: &'static [Constant<T>], value: T) -> &'static str {
    constant_of(table, value).map_or("unknown", Constant::word)
}

/// The constant that has this value.
pub(crate) fn constant_of<T: PartialEq>(table: &'static [Constant<T>], value: T) -> Option<&'static Constant<T>> {
    table.iter().find(|constant| constant.value == value)
}

/// The length of the word that `camel` makes of a name, with its NUL.
pub(crate) const fn camel_len(name: &str, prefix: &str) -> usize {
    let (name, mut at, mut len) = (name.as_bytes(), prefix.len(), 1);
    while at < name.len() {
        len += (name[at] != b'_') as usize;
        at += 1;
    }
    len
}

/// A constant's name as JSON spells it, with a NUL: `CRI_POD_NOT_READY` without `CRI_POD_` is `notReady`.
pub(crate) const fn camel<const LEN: usize>(name: &str, prefix: &str) -> [u8; LEN] {
    let (name, mut at, mut word, mut len) = (name.as_bytes(), prefix.len(), [0; LEN], 0);
    while at < name.len() {
        if name[at] != b'_' {
            let begins_a_part = at > prefix.len() && name[at - 1] == b'_';
            word[len] = if begins_a_part { name[at] } else { name[at].to_ascii_lowercase() };
            len += 1;
        }
        at += 1;
    }
    word
}

/// Declares constants and a table of them. With a prefix, a constant's word is its name without the prefix, in
/// lowerCamelCase, unless the constant has a `#[word]` of its own. Without a prefix, its word is its name.
///
/// The body consists of ordinary items, because cbindgen reads them as they stand: `build/header.rs` only drops
/// the macro's first two lines and its last one.
macro_rules! constants {
    (
        $table:ident: $value_type:ty, words $rule:ident $prefix:literal;
        $($(#[doc = $doc:literal])+ $(#[word = $word:literal])? pub const $name:ident: $type:ty = $value:literal;)+
    ) => {
        $($(#[doc = $doc])+ pub const $name: $type = $value;)+

        /// The constants declared here, in order.
        pub static $table: &[$crate::table::Constant<$value_type>] = &[
            $($crate::table::Constant {
                name: stringify!($name),
                c_word: $crate::table::word!($name, ($($word)?), $rule $prefix),
                value: $name,
                doc: concat!($($doc, "\n"),+),
            }),+
        ];
    };
    ($table:ident: $value_type:ty; $($constants:tt)+) => {
        $crate::table::constants! { $table: $value_type, words with ""; $($constants)+ }
    };
}

/// The word of one constant: its own `#[word]`, or what the table's prefix makes of its name.
macro_rules! word {
    ($name:ident, ($word:literal), $rule:ident $prefix:literal) => {
        $word
    };
    ($name:ident, (), with $prefix:literal) => {
        $crate::table::c_text(concat!(stringify!($name), "\0").as_bytes())
    };
    ($name:ident, (), without $prefix:literal) => {{
        const WORD: [u8; $crate::table::camel_len(stringify!($name), $prefix)] =
            $crate::table::camel(stringify!($name), $prefix);
        $crate::table::c_text(&WORD)
    }};
}

/// Text in C's form: bytes that end in their only NUL.
pub(crate) const fn c_text(bytes: &'static [u8]) -> &'static CStr {
    match CStr::from_bytes_with_nul(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a name has a NUL"),
    }
}

pub(crate) use {constants, word};
