//! Buffers for attributes, used again and again, so that recording does not allocate.

use std::cell::RefCell;

use crate::record::sections::Sections;

/// Most buffers that a thread keeps.
const KEPT_MAX: usize = 16;
/// Buffers that have grown beyond this are not kept.
const KEPT_BYTES_MAX: usize = 4096;

thread_local! {
    #[expect(clippy::vec_box, reason = "the boxes travel in flows; the vector only keeps them")]
    static POOL: RefCell<Vec<Box<Sections>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer.
pub(crate) fn take_details() -> Box<Sections> {
    POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop())
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// A buffer that is not needed any more.
pub(crate) fn give_back_details(mut sections: Box<Sections>) {
    if sections.capacity_bytes() > KEPT_BYTES_MAX {
        return;
    }
    sections.clear();
    // A thread that is exiting keeps nothing.
    let _kept = POOL.try_with(|pool| {
        if let Ok(mut pool) = pool.try_borrow_mut()
            && pool.len() < KEPT_MAX
        {
            pool.push(sections);
        }
    });
}
