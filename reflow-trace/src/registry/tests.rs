//! What is found by its type, and what is not. Miri runs these.

use std::any::{Any, TypeId, type_name};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use super::list::Entered;
use super::reach::{Found, Reach, Reaches};
use super::table::Table;
use crate::context::Context;
use crate::message::{AttributeValue, Message, MessageKind, Size};
use crate::sampling::Verdict;

/// A message that carries what can be carried.
#[derive(Default)]
struct Reading {
    context: Context,
    text: String,
}

impl Message for Reading {
    fn kind(&self) -> &'static MessageKind {
        static KIND: MessageKind = MessageKind::new("Reading");
        &KIND
    }

    fn verdict(&self) -> Verdict {
        Verdict::Never
    }

    fn size(&self) -> Size {
        Size::known(self.text.len())
    }

    fn context(&self) -> Option<&Context> {
        Some(&self.context)
    }

    fn context_mut(&mut self) -> Option<&mut Context> {
        Some(&mut self.context)
    }

    fn id(&self) -> Option<AttributeValue<'_>> {
        Some(AttributeValue::Text(&self.text))
    }
}

/// Another one of no size.
struct Tick;

impl Message for Tick {
    fn kind(&self) -> &'static MessageKind {
        static KIND: MessageKind = MessageKind::new("Tick");
        &KIND
    }
}

struct Unknown;

fn reading() -> Reading {
    Reading {
        context: Context::NONE,
        text: "seven".to_owned(),
    }
}

fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        Table::of([
            Entered::Whole(Reaches::add_with_pointers::<Reading>),
            Entered::Whole(Reaches::add_with_pointers::<Tick>),
        ])
    });
    &TABLE
}

/// As a probe behind a bare `M` does it.
fn found<'a, M>(table: &'static Table, message: &'a mut M) -> Option<Found<'a>> {
    table.find(typeid::of::<M>())?.take(message)
}

/// The hops of a context that is written into the message and read again.
fn written<M>(table: &'static Table, mut message: M) -> Option<u8> {
    let mut found = found(table, &mut message).expect("a message with a policy");
    assert_eq!(found.message().facts().size, Size::known(5));
    found.message_mut()?.room()?.hops = 3;
    found.message().facts().context.map(|context| context.hops)
}

#[test]
fn a_message_is_found_as_itself_and_behind_one_pointer() {
    let table = table();
    let mut behind = reading();
    assert_eq!(written(table, &mut behind), Some(3));
    assert_eq!(behind.context.hops, 3, "it is the message itself");
    assert_eq!(written(table, reading()), Some(3));
    assert_eq!(written(table, Box::new(reading())), Some(3));
    assert_eq!(written(table, Arc::new(reading())), Some(3));
    assert_eq!(written(table, Rc::new(reading())), Some(3));
}

#[test]
fn nobody_writes_to_what_others_may_see() {
    let table = table();
    let shared = Arc::new(reading());
    assert_eq!(written(table, Arc::clone(&shared)), None);
    assert_eq!(written(table, &*shared), None);
    let shared = Rc::new(reading());
    assert_eq!(written(table, Rc::clone(&shared)), None);
    assert_eq!(shared.context.hops, 0);
}

#[test]
fn a_pointer_that_lives_shortly_is_followed_as_long_as_it_is_borrowed() {
    let table = table();
    let message = reading();
    let has_id = {
        let short: &Reading = &message;
        let reach = table.find(typeid::of::<&Reading>()).expect("entered");
        let found = reach.message(&short).expect("of this type");
        found.facts().by_id.is_some()
    };
    drop(message);
    assert!(has_id);
}

#[test]
fn a_message_of_no_size_is_found() {
    let found = found(table(), &mut Tick).map(|found| found.message().facts().verdict as u8);
    assert_eq!(found, Some(Verdict::ByRate as u8));
}

#[test]
fn what_was_not_entered_is_not_found() {
    let table = table();
    assert!(found(table, &mut Unknown).is_none());
    assert!(found(table, &mut Some(reading())).is_none());
    assert!(found(table, &mut vec![reading()]).is_none());
    assert!(found(table, &mut Cell::new(1_u8)).is_none());
    assert!(found(table, &mut (Box::new(reading()) as Box<dyn Any>)).is_none());
    let text = String::from("borrowed");
    assert!(found(table, &mut text.as_str()).is_none());
}

#[test]
fn a_way_to_one_type_leads_nowhere_from_another() {
    let reach: &'static Reach = table().find(typeid::of::<Tick>()).expect("entered");
    assert!(reach.message(&Unknown).is_none());
    assert!(reach.take(&mut reading()).is_none());
    assert!(reach.message(&Tick).is_some());
}

#[test]
fn messages_of_the_standard_library_are_found() {
    let table = table();
    let mut text = String::from("hello");
    let found = found(table, &mut text).expect("a message");
    assert_eq!(found.message().facts().size, Size::deep(5));
}

#[test]
fn types_that_share_a_place_are_told_apart() {
    // Far more types than a place has bits, so that some fall on one place.
    macro_rules! many {
        ($($name:ident)*) => {{
            $(
                struct $name;
                impl Message for $name {
                    fn kind(&self) -> &'static MessageKind {
                        static KIND: MessageKind = MessageKind::new(stringify!($name));
                        &KIND
                    }
                }
            )*
            let table = Table::of([$(Entered::Whole(Reaches::add_with_pointers::<$name>)),*]);
            $(
                let reach = table.find(TypeId::of::<$name>()).expect("entered");
                assert_eq!(reach.type_id(), TypeId::of::<$name>());
                let reach = table.find(typeid::of::<&$name>()).expect("entered");
                assert_eq!(reach.type_id(), TypeId::of::<&'static $name>());
            )*
        }};
    }
    many!(A B C D E F G H I J K L N O P Q R S T U V W X Y Z Aa Ab Ac Ad Ae Af Ag Ah Ai Aj Ak Al);
}

mod scope {
    use std::any::type_name;

    pub(super) struct Envelope<T>(T);
    pub(super) struct EnvelopeOfOthers<T>(T);

    pub(super) trait Beside {
        const PATH: fn() -> &'static str;
    }

    // As the macro writes it, beside the type.
    const _: () = {
        enum Here {}
        impl Beside for Envelope<()> {
            const PATH: fn() -> &'static str = type_name::<Here>;
        }
    };
}

#[test]
fn a_generic_type_is_noticed_by_its_path_whatever_its_arguments() {
    let here = <scope::Envelope<()> as scope::Beside>::PATH;
    let table = Table::of([Entered::Generic(here, "Envelope")]);
    for noticed in [
        type_name::<scope::Envelope<u8>>(),
        type_name::<scope::Envelope<Vec<&str>>>(),
        type_name::<Box<scope::Envelope<u8>>>(),
        type_name::<&mut &scope::Envelope<u8>>(),
    ] {
        assert!(table.lacks_policy(noticed), "{noticed}");
    }
    for other in [
        type_name::<scope::EnvelopeOfOthers<u8>>(),
        type_name::<Vec<scope::Envelope<u8>>>(),
        type_name::<u8>(),
        "elsewhere::Envelope<u8>",
    ] {
        assert!(!table.lacks_policy(other), "{other}");
    }
}

#[test]
fn what_stands_in_a_function_enters_itself_before_main() {
    struct Local;
    impl Message for Local {
        fn kind(&self) -> &'static MessageKind {
            static KIND: MessageKind = MessageKind::new("Local");
            &KIND
        }
    }
    crate::__register! { crate::registry::Registration::of::<Local>() }
    let table = Table::of_this_process();
    assert!(table.find(TypeId::of::<Local>()).is_some());
}
