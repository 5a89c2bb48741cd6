//! Tables of constants: each is declared once, and serves Rust, the C header and the documentation.

/// One constant of a table.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Constant<T: 'static> {
    /// Its name, in Rust and in C.
    pub name: &'static str,
    /// Its value.
    pub value: T,
    /// Its meaning.
    pub doc: &'static str,
}

/// Declares constants and a table of them.
///
/// The body consists of ordinary items, because cbindgen reads them as they stand: `build/header.rs` only drops
/// the macro's first two lines and its last one.
macro_rules! constants {
    (
        $table:ident: $value_type:ty;
        $($(#[doc = $doc:literal])+ pub const $name:ident: $type:ty = $value:literal;)+
    ) => {
        $($(#[doc = $doc])+ pub const $name: $type = $value;)+

        /// The constants declared here, in order.
        pub static $table: &[$crate::table::Constant<$value_type>] = &[
            $($crate::table::Constant { name: stringify!($name), value: $name, doc: concat!($($doc, "\n"),+) }),+
        ];
    };
}

pub(crate) use constants;
