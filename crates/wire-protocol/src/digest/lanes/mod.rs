//! RIPEMD-160 of many short messages at a time, one in each lane of vectors.
//!
//! Each step of the hash depends on the one before, so a single message leaves most of a core idle. Plain
//! arrays of eight words, left to the compiler, were tried first: it takes them apart into scalars and gains
//! a tenth. CPUs without AVX2 hash one message at a time.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512vl;
#[cfg(target_arch = "x86_64")]
mod compress;
#[cfg(target_arch = "x86_64")]
mod eight;
#[cfg(target_arch = "x86_64")]
mod ternary;

use super::Digest;

/// A message that fits one block, padded.
pub(super) type Message = [u8; 64];

/// The eights of lanes that the widest vectors have.
pub(super) const EIGHTS: usize = 2;

/// The lanes that the widest vectors have.
pub(super) const MOST: usize = EIGHTS * 8;

/// A message for each lane.
pub(super) type Messages = [[Message; 8]; EIGHTS];

/// The digest of each message.
pub(super) type Digests = [[Digest; 8]; EIGHTS];

/// Vector instructions that this CPU has: only [`Vectors::available`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Vectors(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Sixteen lanes. Rotations and functions of three operands are one instruction each.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Eight lanes, with the same instructions.
    #[cfg(target_arch = "x86_64")]
    Avx512vl,
    /// Eight lanes.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Vectors {
    /// All that this CPU has, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let found = {
            use std::arch::is_x86_feature_detected as has;
            let avx512 = has!("avx512f") && has!("avx2");
            // Intel's CPUs before Ice Lake clock lower for a while after instructions of 512 bits. Those have
            // no VBMI2, which is not used here.
            [
                (avx512 && has!("avx512vbmi2")).then_some(Self(Kind::Avx512)),
                (avx512 && has!("avx512vl")).then_some(Self(Kind::Avx512vl)),
                has!("avx2").then_some(Self(Kind::Avx2)),
            ]
        };
        #[cfg(not(target_arch = "x86_64"))]
        let found = [None];
        found.into_iter().flatten()
    }

    /// The instructions' name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512vl => "AVX-512VL",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "AVX2",
        }
    }

    /// How many messages are hashed at a time.
    pub(super) fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => 16,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512vl | Kind::Avx2 => 8,
        }
    }

    /// Hashes the first messages, as many as there are lanes.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn hash(self, messages: &Messages, digests: &mut Digests) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` has made sure of AVX-512F and AVX2, which is all that the function asks for.
            #[allow(unsafe_code)]
            Kind::Avx512 => unsafe { avx512::hash(messages, digests) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` has made sure of AVX-512F and VL and of AVX2: the function asks for no more.
            #[allow(unsafe_code)]
            Kind::Avx512vl => unsafe { avx512vl::hash(&messages[0], &mut digests[0]) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` has made sure of AVX2, which is all that the function asks for.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { avx2::hash(&messages[0], &mut digests[0]) },
        }
    }
}
