//! SQL that reads: a statement over what a snapshot holds.
//!
//! [DataFusion] plans and carries out; what it may see, do, hold and take is decided here. A statement is
//! looked at before it is parsed and before it is planned ([`statement`]), sees four tables
//! ([`table`]) and the functions that were chosen ([`functions`]), and runs on threads of its own
//! ([`run`]), of a lower priority than those that take events in.
//!
//! # What cannot happen
//!
//! **A statement writes, or reads what is no table**: only queries are parsed further, and neither files nor
//! settings nor other catalogs exist for the engine. **It takes the process along**: the
//! statement is bounded in bytes, words, levels, tables and terms before anything walks into it, and
//! everything happens on a thread with a large stack. **It never ends**: each piece of rows that is read or made
//! asks whether to go on. **It takes all memory**: what is sorted, grouped, joined and held is taken from an
//! amount, functions that make texts count them first and share what there is, pieces are cut before many columns
//! are made of them, and types and numbers that take room by themselves are refused. **It disturbs**: it has threads of its own, and
//! whoever waits for it waits on one that is there for waiting.
//!
//! [DataFusion]: https://datafusion.apache.org

mod error;
mod functions;
mod oversee;
mod run;
mod session;
mod statement;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod watch;

pub(crate) use run::sql;
