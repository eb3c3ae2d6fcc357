//! RIPEMD-160 of many short messages at a time, one in each lane of a vector.
//!
//! Each step of the hash depends on the step before, so a single message leaves most of a core idle. Automatic
//! vectorization does not help: with plain arrays of eight words it was only a tenth faster. CPUs without AVX2 hash one
//! message at a time.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512vl;
#[cfg(target_arch = "x86_64")]
mod compress;
#[cfg(target_arch = "x86_64")]
mod ternary;
#[cfg(target_arch = "x86_64")]
mod transpose;

use super::Digest;

/// A padded message that fits one block.
pub(super) type Message = [u8; 64];

/// Lanes of the widest vectors, in groups of eight.
pub(super) const EIGHTS: usize = 2;

/// Lanes of the widest vectors.
pub(super) const MOST: usize = EIGHTS * 8;

/// A message for each lane.
pub(super) type Messages = [[Message; 8]; EIGHTS];

/// The digest of each message.
pub(super) type Digests = [[Digest; 8]; EIGHTS];

/// Vector instructions of this CPU. Values come from [`Vectors::available`] only, so one proves that the CPU has them.
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
    /// The instructions that this CPU has, fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let found = {
            use std::arch::is_x86_feature_detected as has;
            let avx512 = has!("avx512f") && has!("avx2");
            // Intel CPUs before Ice Lake lower their clock after 512-bit instructions. They are recognized by
            // the lack of VBMI2, which is not used otherwise.
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

    /// The name of the instruction set.
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

    /// The number of messages that are hashed at a time.
    pub(super) fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => 16,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512vl | Kind::Avx2 => 8,
        }
    }

    /// Hashes as many messages as there are lanes.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn hash(self, messages: &Messages, digests: &mut Digests) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` checked for AVX-512F and AVX2, and the function needs no other features.
            #[allow(unsafe_code)]
            Kind::Avx512 => unsafe { avx512::hash(messages, digests) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` checked for AVX-512F, AVX-512VL and AVX2, and the function needs no other features.
            #[allow(unsafe_code)]
            Kind::Avx512vl => unsafe { avx512vl::hash(&messages[0], &mut digests[0]) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` checked for AVX2, and the function needs no other features.
            #[allow(unsafe_code)]
            Kind::Avx2 => unsafe { avx2::hash(&messages[0], &mut digests[0]) },
        }
    }
}
