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

/// A name that is text.
pub trait IsText {
    /// The name.
    fn name(&self) -> Name<'_>;
}

impl<T: Deref<Target = str>> IsText for T {
    #[inline]
    fn name(&self) -> Name<'_> {
        Name::Text(self)
    }
}

/// A name that can be shown.
pub trait IsShown {
    /// The name.
    fn name(&self) -> Name<'_>;
}

impl<T: fmt::Display> IsShown for T {
    #[inline]
    fn name(&self) -> Name<'_> {
        Name::Shown(self)
    }
}

/// All four can be shown: what is left when nothing else fits.
#[derive(Debug)]
pub struct Shown<'a, A, B, C, D>(&'a A, &'a B, &'a C, &'a D);

impl<'a, A, B, C, D> Shown<'a, A, B, C, D> {
    #[inline]
    const fn of(a: &'a A, b: &'a B, c: &'a C, d: &'a D) -> Self {
        Self(a, b, c, d)
    }

    #[inline]
    const fn all(&self) -> (&'a A, &'a B, &'a C, &'a D) {
        (self.0, self.1, self.2, self.3)
    }

    /// The ends.
    #[inline]
    pub fn ends(self) -> Ends<'a>
    where
        A: fmt::Display,
        B: fmt::Display,
        C: fmt::Display,
        D: fmt::Display,
    {
        ends(self.0.name(), self.1.name(), self.2.name(), self.3.name())
    }
}

/// By hand, because what is named need not be `Copy`.
macro_rules! copied {
    ($this:ident) => {
        impl<A, B, C, D> Clone for $this<'_, A, B, C, D> {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<A, B, C, D> Copy for $this<'_, A, B, C, D> {}
    };
}

copied!(Shown);

/// Each line is a type that has the method `ends` where the four names are of these kinds, and that derefs to the
/// type of the next line. So what four fields can name is found in one look-up, the usual case as the first, and text
/// is never formatted.
macro_rules! mixtures {
    ($($this:ident then $next:ident: $a:ident, $b:ident, $c:ident, $d:ident;)*) => {$(
        /// Four names, where others before did not fit.
        #[derive(Debug)]
        pub struct $this<'a, A, B, C, D>($next<'a, A, B, C, D>);

        copied!($this);

        impl<'a, A: $a, B: $b, C: $c, D: $d> $this<'a, A, B, C, D> {
            /// The ends.
            #[inline]
            pub fn ends(self) -> Ends<'a> {
                let (a, b, c, d) = self.all();
                ends($a::name(a), $b::name(b), $c::name(c), $d::name(d))
            }
        }

        impl<'a, A, B, C, D> $this<'a, A, B, C, D> {
            #[inline]
            const fn of(a: &'a A, b: &'a B, c: &'a C, d: &'a D) -> Self {
                Self($next::of(a, b, c, d))
            }

            #[inline]
            const fn all(&self) -> (&'a A, &'a B, &'a C, &'a D) {
                self.0.all()
            }
        }

        impl<'a, A, B, C, D> Deref for $this<'a, A, B, C, D> {
            type Target = $next<'a, A, B, C, D>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    )*};
}

mixtures! {
    Names then Mixed1: IsText, IsText, IsText, IsText;
    Mixed1 then Mixed2: IsShown, IsText, IsText, IsText;
    Mixed2 then Mixed3: IsText, IsShown, IsText, IsText;
    Mixed3 then Mixed4: IsText, IsText, IsShown, IsText;
    Mixed4 then Mixed5: IsText, IsText, IsText, IsShown;
    Mixed5 then Mixed6: IsShown, IsShown, IsText, IsText;
    Mixed6 then Mixed7: IsShown, IsText, IsShown, IsText;
    Mixed7 then Mixed8: IsShown, IsText, IsText, IsShown;
    Mixed8 then Mixed9: IsText, IsShown, IsShown, IsText;
    Mixed9 then Mixed10: IsText, IsShown, IsText, IsShown;
    Mixed10 then Mixed11: IsText, IsText, IsShown, IsShown;
    Mixed11 then Mixed12: IsShown, IsShown, IsShown, IsText;
    Mixed12 then Mixed13: IsShown, IsShown, IsText, IsShown;
    Mixed13 then Mixed14: IsShown, IsText, IsShown, IsShown;
    Mixed14 then Shown: IsText, IsShown, IsShown, IsShown;
}

/// The four names, of which [`Names::ends`] or a method behind it makes what they are fit for.
#[inline]
pub const fn names<'a, A, B, C, D>(
    from_actor: &'a A,
    from_port: &'a B,
    to_actor: &'a C,
    to_port: &'a D,
) -> Names<'a, A, B, C, D> {
    Names::of(from_actor, from_port, to_actor, to_port)
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

    /// Text that is not `Display`.
    struct Label(&'static str);
    impl Deref for Label {
        type Target = str;
        fn deref(&self) -> &str {
            self.0
        }
    }

    #[test]
    fn of_four_names_each_is_borrowed_that_is_text_and_the_others_are_shown() {
        let (text, label) = (String::from("a"), Label("b"));
        let kinds = |ends| {
            let Ends::Names(names) = ends else {
                panic!("names were given");
            };
            let text = names.map(|name| matches!(name, Name::Text(_)));
            (text, format!("{names:?}"))
        };
        assert_eq!(
            kinds(names(&text, &label, &"c", &text).ends()),
            ([true; 4], "[\"a\", \"b\", \"c\", \"a\"]".to_owned())
        );
        assert_eq!(
            kinds(names(&text, &7, &label, &'d').ends()),
            (
                [true, false, true, false],
                "[\"a\", 7, \"b\", d]".to_owned()
            )
        );
        assert_eq!(
            kinds(names(&1, &2, &3, &4).ends()),
            ([false; 4], "[1, 2, 3, 4]".to_owned())
        );
    }
}
