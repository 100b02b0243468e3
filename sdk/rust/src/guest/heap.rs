//! The heap of a component: first room that every instance has from its start, then Rust's own heap.
//!
//! An instance lives for one call, and most calls need less than this room. Rust's own heap has none at the start: it grows
//! memory, which the host has to take back after the call, and both stop every thread of the host for a moment. Here nothing
//! is grown, and nothing is searched: what is asked for lies behind what was asked for before, and only the last one can be
//! given back or change its size in place. What surprises: a call that makes and drops a lot uses the room up all the same;
//! from then on it is served by Rust's heap, up to the limit of the call.

#![allow(unsafe_code, reason = "an allocator hands out raw memory")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::{Cell, UnsafeCell},
};

/// Room at the start; costs nothing until it is touched. A notice of a payment takes a fraction of it.
const ROOM_BYTES: usize = 256 * 1024;

#[global_allocator]
static HEAP: Heap = Heap { room: UnsafeCell::new([0; ROOM_BYTES]), used: Cell::new(0) };

#[repr(C, align(16))]
struct Heap {
    room: UnsafeCell<[u8; ROOM_BYTES]>,
    used: Cell<usize>,
}

// SAFETY: a component has one thread.
unsafe impl Sync for Heap {}

impl Heap {
    fn start(&self) -> usize {
        self.room.get().addr()
    }

    fn is_ours(&self, at: *mut u8) -> bool {
        at.addr().wrapping_sub(self.start()) < ROOM_BYTES
    }

    /// Where the room is used up to, if `at` is the last that was handed out.
    fn is_last(&self, at: *mut u8, size: usize) -> bool {
        at.addr() + size == self.start() + self.used.get()
    }
}

// SAFETY: what lies in the room does not overlap: each piece begins where the room is free from, or it is the last one, which
// alone changes its end. Everything else is Rust's own heap.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let from = (self.start() + self.used.get()).next_multiple_of(layout.align()) - self.start();
        if layout.size() > ROOM_BYTES - from.min(ROOM_BYTES) {
            return unsafe { System.alloc(layout) };
        }
        self.used.set(from + layout.size());
        unsafe { self.room.get().cast::<u8>().add(from) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if !self.is_ours(at) {
            unsafe { System.dealloc(at, layout) }
        } else if self.is_last(at, layout.size()) {
            self.used.set(at.addr() - self.start());
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !self.is_ours(at) {
            return unsafe { System.realloc(at, layout, size) };
        }
        let from = at.addr() - self.start();
        if self.is_last(at, layout.size()) && size <= ROOM_BYTES - from {
            self.used.set(from + size);
            return at;
        }
        if size <= layout.size() {
            return at;
        }
        // SAFETY: the caller promises that `size` fits the alignment.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            unsafe { new.copy_from_nonoverlapping(at, layout.size()) };
        }
        new
    }
}
