//! Messages of the standard library: recorded always, with their deep size where that is cheap.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::{AttributeValue, Attributes, Content, Message, MessageKind, Size};
use crate::context::Context;
use crate::sampling::Verdict;

macro_rules! standard_kind {
    ($name:expr) => {
        const DESCRIBES: bool = false;
        #[inline]
        fn kind(&self) -> &'static MessageKind {
            static KIND: MessageKind = MessageKind::new($name);
            &KIND
        }
    };
}

impl Message for str {
    standard_kind!("str");
    #[inline]
    fn size(&self) -> Size {
        Size::deep(self.len())
    }
}

impl Message for String {
    standard_kind!("String");
    #[inline]
    fn size(&self) -> Size {
        Size::deep(self.len())
    }
}

impl Message for Cow<'_, str> {
    standard_kind!("String");
    #[inline]
    fn size(&self) -> Size {
        Size::deep(self.len())
    }
}

impl Message for [u8] {
    standard_kind!("[u8]");
    #[inline]
    fn size(&self) -> Size {
        Size::deep(self.len())
    }
}

impl Message for Vec<u8> {
    standard_kind!("Vec<u8>");
    #[inline]
    fn size(&self) -> Size {
        Size::deep(self.len())
    }
}

macro_rules! plain_messages {
    ($($type:ty)*) => {$(
        impl Message for $type {
            standard_kind!(stringify!($type));
            #[inline]
            fn size(&self) -> Size {
                Size::deep(size_of::<Self>())
            }
        }
    )*};
}

plain_messages!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool char);

/// What stands behind a pointer is the message.
macro_rules! pointers {
    ($($type:ty, $target:ident => $context_mut:expr;)*) => {$(
        impl<$target: Message + ?Sized> Message for $type {
            const DESCRIBES: bool = $target::DESCRIBES;
            #[inline]
            fn kind(&self) -> &'static MessageKind {
                (**self).kind()
            }
            #[inline]
            fn verdict(&self) -> Verdict {
                (**self).verdict()
            }
            #[inline]
            fn size(&self) -> Size {
                (**self).size()
            }
            #[inline]
            fn context(&self) -> Option<&Context> {
                (**self).context()
            }
            #[inline]
            fn context_mut(&mut self) -> Option<&mut Context> {
                let reach: fn(&mut Self) -> Option<&mut $target> = $context_mut;
                reach(self)?.context_mut()
            }
            #[inline]
            fn id(&self) -> Option<AttributeValue<'_>> {
                (**self).id()
            }
            #[inline]
            fn describe(&self, attributes: &mut Attributes<'_>) {
                (**self).describe(attributes);
            }
            #[inline]
            fn capture(&self, content: &mut Content<'_>) {
                (**self).capture(content);
            }
        }
    )*};
}

pointers! {
    // A shared message carries what it carried before: nobody may write to it.
    &M, M => |_| None;
    Arc<M>, M => |message| Arc::get_mut(message);
    Rc<M>, M => |message| Rc::get_mut(message);
    &mut M, M => |message| Some(message);
    Box<M>, M => |message| Some(message);
}
