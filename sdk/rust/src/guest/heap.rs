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

#[cfg(target_arch = "wasm32")]
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
        // Also nothing begins at the end: it would not be ours when it is given back.
        if from >= ROOM_BYTES || layout.size() > ROOM_BYTES - from {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of the model; each begins with an empty room and fills it.
    const RUNS: u64 = if cfg!(miri) { 4 } else { 400 };
    const STEPS: usize = if cfg!(miri) { 300 } else { 3_000 };

    #[allow(clippy::large_stack_arrays, reason = "a thread of a test has room for eight of them")]
    fn heap() -> Heap {
        Heap { room: UnsafeCell::new([0; ROOM_BYTES]), used: Cell::new(0) }
    }

    /// A generator of numbers: the same run for the same seed, on every machine.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % end
        }

        /// Mostly small, sometimes a page, seldom more than the room.
        fn size(&mut self) -> usize {
            let most = [64, 64, 64, 512, 4_096][self.below(5)];
            if self.below(60) == 0 { 1 + self.below(ROOM_BYTES + 4_096) } else { 1 + self.below(most) }
        }

        fn align(&mut self) -> usize {
            1 << if self.below(20) == 0 { self.below(13) } else { self.below(5) }
        }
    }

    /// What a program holds: where, how large, and the byte that it wrote all over it.
    struct Piece {
        at: *mut u8,
        layout: Layout,
        mark: u8,
    }

    impl Piece {
        fn bytes(&self) -> &[u8] {
            // SAFETY: it was handed out with this size, and every byte of it was written.
            unsafe { std::slice::from_raw_parts(self.at, self.layout.size()) }
        }

        fn holds(&self) {
            assert!(self.bytes().iter().all(|byte| *byte == self.mark), "its bytes were changed");
        }
    }

    /// A heap, and what a program should see of it.
    struct Model {
        heap: Heap,
        held: Vec<Piece>,
        marks: u8,
        in_room: usize,
        elsewhere: usize,
    }

    impl Model {
        fn new() -> Model {
            Model { heap: heap(), held: Vec::new(), marks: 0, in_room: 0, elsewhere: 0 }
        }

        /// Takes over what was handed out, once nothing is wrong with it, and writes all over it.
        fn hold(&mut self, at: *mut u8, layout: Layout) {
            assert!(!at.is_null());
            assert_eq!(at.addr() % layout.align(), 0, "{layout:?}");
            let (from, to) = (at.addr(), at.addr() + layout.size());
            for other in &self.held {
                let (start, end) = (other.at.addr(), other.at.addr() + other.layout.size());
                assert!(to <= start || end <= from, "{from}..{to} lies over {start}..{end}");
            }
            if self.heap.is_ours(at) {
                assert!(to <= self.heap.start() + ROOM_BYTES, "it reaches out of the room");
                self.in_room += 1;
            } else {
                self.elsewhere += 1;
            }
            self.marks = self.marks.wrapping_add(1);
            // SAFETY: it was handed out with this size.
            unsafe { at.write_bytes(self.marks, layout.size()) };
            self.held.push(Piece { at, layout, mark: self.marks });
        }

        fn alloc(&mut self, layout: Layout, zeroed: bool) {
            // SAFETY: no layout here has no size.
            let at = unsafe { if zeroed { self.heap.alloc_zeroed(layout) } else { self.heap.alloc(layout) } };
            if zeroed {
                // SAFETY: as asked for.
                let bytes = unsafe { std::slice::from_raw_parts(at, layout.size()) };
                assert!(bytes.iter().all(|byte| *byte == 0), "not zero");
            }
            self.hold(at, layout);
        }

        fn realloc(&mut self, piece: usize, size: usize) {
            let Piece { at, layout, mark } = self.held.swap_remove(piece);
            // SAFETY: it was handed out with this layout and is not used any more.
            let at = unsafe { self.heap.realloc(at, layout, size) };
            let kept = Layout::from_size_align(size.min(layout.size()), layout.align()).unwrap();
            Piece { at, layout: kept, mark }.holds();
            self.hold(at, Layout::from_size_align(size, layout.align()).unwrap());
        }

        fn dealloc(&mut self, piece: usize) {
            let piece = self.held.swap_remove(piece);
            piece.holds();
            // SAFETY: it was handed out with this layout and is not used any more.
            unsafe { self.heap.dealloc(piece.at, piece.layout) };
        }

        /// The last one is the only one that changes in place, so it is chosen often.
        fn some(&self, chance: &mut Chance) -> usize {
            if chance.below(2) == 0 { self.held.len() - 1 } else { chance.below(self.held.len()) }
        }

        fn step(&mut self, chance: &mut Chance) {
            match chance.below(10) {
                5..=7 if !self.held.is_empty() => {
                    let piece = self.some(chance);
                    let size = 1 + chance.below(2 * self.held[piece].layout.size() + 8);
                    let size = if chance.below(40) == 0 { chance.size() } else { size };
                    self.realloc(piece, size.min(2 * ROOM_BYTES));
                }
                8.. if !self.held.is_empty() => {
                    let piece = self.some(chance);
                    self.dealloc(piece);
                }
                _ => {
                    let layout = Layout::from_size_align(chance.size(), chance.align()).unwrap();
                    self.alloc(layout, chance.below(4) == 0);
                }
            }
        }
    }

    #[test]
    fn whatever_is_asked_for_nothing_overlaps_and_nothing_is_lost() {
        let (mut in_room, mut elsewhere) = (0, 0);
        for seed in 0..RUNS {
            let (mut model, mut chance) = (Model::new(), Chance(seed));
            for _ in 0..STEPS {
                model.step(&mut chance);
                // A piece is checked when it goes; many would otherwise be kept until the end.
                if model.held.len() > 100 {
                    model.dealloc(chance.below(100));
                }
            }
            while !model.held.is_empty() {
                model.dealloc(model.held.len() - 1);
            }
            (in_room, elsewhere) = (in_room + model.in_room, elsewhere + model.elsewhere);
        }
        assert!(in_room > 100 && elsewhere > 100, "{in_room} in the room, {elsewhere} elsewhere");
    }

    #[test]
    fn the_last_one_grows_shrinks_and_goes_in_place() {
        let mut model = Model::new();
        let layout = Layout::from_size_align(100, 8).unwrap();
        model.alloc(layout, false);
        model.alloc(layout, false);
        let (first, last) = (model.held[0].at, model.held[1].at);
        model.realloc(1, 5_000);
        assert_eq!((model.held[1].at, model.heap.used.get()), (last, last.addr() + 5_000 - first.addr()));
        model.realloc(1, 10);
        assert_eq!((model.held[1].at, model.heap.used.get()), (last, last.addr() + 10 - first.addr()));
        model.dealloc(1);
        assert_eq!(model.heap.used.get(), last.addr() - first.addr());
        // What is given back is used again, and is zero where that is asked for.
        model.alloc(layout, true);
        assert_eq!(model.held[1].at, last);
        model.realloc(0, 200);
        assert_ne!(model.held[1].at, first, "not the last one: it moves");
    }

    #[test]
    fn nothing_begins_at_the_end_of_the_room() {
        let mut model = Model::new();
        let start = model.heap.start();
        model.alloc(Layout::from_size_align(ROOM_BYTES, 1).unwrap(), false);
        assert_eq!((model.held[0].at.addr(), model.heap.used.get()), (start, ROOM_BYTES));
        model.alloc(Layout::from_size_align(1, 1).unwrap(), false);
        // Nobody may ask for nothing, and nobody would say so who does.
        let nothing = Layout::from_size_align(0, 1).unwrap();
        // SAFETY: the heap of every system that tests run on hands out something for nothing, and takes it back.
        let at = unsafe { model.heap.alloc(nothing) };
        assert!(!model.heap.is_ours(at) && model.heap.used.get() == ROOM_BYTES);
        // SAFETY: as above.
        unsafe { model.heap.dealloc(at, nothing) };
        // Behind the end, by alignment.
        model.dealloc(0);
        model.alloc(Layout::from_size_align(ROOM_BYTES - 1, 1).unwrap(), false);
        model.alloc(Layout::from_size_align(1, 4_096).unwrap(), false);
        assert!(model.heap.used.get() < ROOM_BYTES);
        assert_eq!((model.in_room, model.elsewhere), (2, 2));
    }
}
