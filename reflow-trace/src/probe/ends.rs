//! The two ends of an edge, in whatever type the connector keeps them.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::edge::Edge;

/// One name, borrowed from the connector.
#[derive(Clone, Copy)]
pub enum Name<'a> {
    /// Text.
    Text(&'a str),
    /// Something that can be shown; goes through a fixed buffer.
    Shown(&'a dyn fmt::Display),
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Shown(shown) => write!(f, "{shown}"),
        }
    }
}

/// What names the edge at a probe.
#[derive(Clone, Copy, Debug)]
pub enum Ends<'a> {
    /// From actor, from port, to actor, to port.
    Names([Name<'a>; 4]),
    /// A handle that has been looked up.
    Handle(&'a Edge),
}

/// An edge by its four names.
#[inline]
pub fn ends<'a>(
    from_actor: Name<'a>,
    from_port: Name<'a>,
    to_actor: Name<'a>,
    to_port: Name<'a>,
) -> Ends<'a> {
    Ends::Names([from_actor, from_port, to_actor, to_port])
}

/// An edge by its handle.
#[inline]
pub fn edge(edge: &Edge) -> Ends<'_> {
    Ends::Handle(edge)
}

/// Wraps a reference, so that [`AsName`] finds the best form of what it refers to.
#[derive(Debug)]
pub struct Text<'a, T>(pub &'a T);

/// A name from anything that is text, else from anything that can be shown, else an error that says so.
pub trait AsName<'a> {
    /// The name.
    fn name(&self) -> Name<'a>;
}

impl<'a, T: Deref<Target = str>> AsName<'a> for &Text<'a, T> {
    #[inline]
    fn name(&self) -> Name<'a> {
        Name::Text(self.0)
    }
}

impl<'a, T: fmt::Display> AsName<'a> for Text<'a, T> {
    #[inline]
    fn name(&self) -> Name<'a> {
        Name::Shown(self.0)
    }
}

/// Where look-up arrives when nothing else fits: the bound of its method fails with a text of ours.
#[derive(Debug)]
pub struct UnfitName<T: ?Sized>(PhantomData<T>);

/// Wraps references to all four, so that the best form of what names edges is found in one look-up instead of four.
#[derive(Debug)]
pub struct Names<'a, A, B, C, D>(pub &'a A, pub &'a B, pub &'a C, pub &'a D);

/// All four are text; anything else is the method of the same name on [`Names`], which is found after it.
pub trait AsEnds<'a> {
    /// The ends.
    fn ends(&self) -> Ends<'a>;
}

impl<'a, A, B, C, D> AsEnds<'a> for &Names<'a, A, B, C, D>
where
    A: Deref<Target = str>,
    B: Deref<Target = str>,
    C: Deref<Target = str>,
    D: Deref<Target = str>,
{
    #[inline]
    fn ends(&self) -> Ends<'a> {
        Ends::Names([
            Name::Text(self.0),
            Name::Text(self.1),
            Name::Text(self.2),
            Name::Text(self.3),
        ])
    }
}

impl<'a, A, B, C, D> Names<'a, A, B, C, D> {
    /// All four can be shown; those that are text as well cost the copy of it.
    #[inline]
    pub fn ends(&self) -> Ends<'a>
    where
        A: fmt::Display,
        B: fmt::Display,
        C: fmt::Display,
        D: fmt::Display,
    {
        Ends::Names([
            Name::Shown(self.0),
            Name::Shown(self.1),
            Name::Shown(self.2),
            Name::Shown(self.3),
        ])
    }
}

/// Implemented by nothing: what can name an actor is found before.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot name an actor or a port",
    label = "neither text nor `Display`",
    note = "an end of an edge is text (`Deref<Target = str>`) or implements `Display`"
)]
pub trait NamesActor {}

impl<'a, T> Deref for Text<'a, T> {
    type Target = UnfitName<T>;

    fn deref(&self) -> &UnfitName<T> {
        &UnfitName(PhantomData)
    }
}

impl<T> UnfitName<T> {
    /// Never called.
    pub fn name(&self) -> Name<'static>
    where
        T: NamesActor,
    {
        Name::Text("")
    }
}

#[cfg(test)]
#[expect(
    clippy::needless_borrow,
    reason = "the references choose the impl, as in generated code"
)]
mod tests {
    use std::borrow::Cow;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn text_of_any_kind_is_borrowed_and_the_rest_is_shown() {
        let names = [
            (&&Text(&"a")).name(),
            (&&Text(&"b")).name(),
            (&&Text(&String::from("c"))).name(),
            (&&Text(&Arc::<str>::from("d"))).name(),
            (&&Text(&Cow::Borrowed("e"))).name(),
        ]
        .map(|name| matches!(name, Name::Text(_)));
        assert_eq!(names, [true; 5]);
        assert!(matches!((&&Text(&7)).name(), Name::Shown(_)));
    }

    #[test]
    fn four_names_that_are_text_are_borrowed_and_all_are_shown_as_soon_as_one_is_none() {
        let (text, shared) = (String::from("a"), Arc::<str>::from("b"));
        let Ends::Names(names) = (&&Names(&text, &shared, &"c", &text)).ends() else {
            panic!("names were given");
        };
        assert!(names.iter().all(|name| matches!(name, Name::Text(_))));
        let Ends::Names(names) = (&&Names(&text, &7, &"c", &text)).ends() else {
            panic!("names were given");
        };
        assert!(names.iter().all(|name| matches!(name, Name::Shown(_))));
        assert_eq!(format!("{names:?}"), "[a, 7, c, a]");
    }
}
