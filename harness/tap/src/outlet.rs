//! The writing end of a pump: where a bent direction is delayed, held, throttled, split or coalesced.

use crate::{
    clock,
    control::Control,
    event::Side,
    fault::{Effect, Gate, Shape},
    wire::Writer,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{io, time::Duration};
use tokio::io::AsyncWriteExt;

/// How many times a second a throttled direction writes.
const BEATS: u32 = 20;

/// Writes what `side` sent to the other side.
pub(crate) struct Outlet<'a> {
    writer: &'a mut Writer,
    control: &'a Control,
    side: Side,
    shapes: Vec<(Shape, Gate)>,
    random: StdRng,
    gathered: Vec<u8>,
    /// Nobody is there any more.
    given_up: bool,
}

impl<'a> Outlet<'a> {
    pub(crate) fn new(writer: &'a mut Writer, control: &'a Control, side: Side) -> Self {
        Self {
            writer,
            control,
            side,
            shapes: Vec::new(),
            random: StdRng::seed_from_u64(0),
            gathered: Vec::new(),
            given_up: false,
        }
    }

    /// Writes nothing from now on: the other side is gone.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
        self.gathered.clear();
    }

    /// Writes the bytes; bent, if a fault says so.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.given_up {
            Ok(())
        } else if self.control.is_bent() {
            self.send_bent(bytes).await
        } else {
            self.writer.write_all(bytes).await
        }
    }

    /// The fault's effect takes place here, between two frames.
    pub(crate) async fn bend(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::Delay(by) => {
                self.flush().await?;
                clock::pass(by).await;
            }
            Effect::Hold(mut gate) => {
                self.flush().await?;
                gate.open().await;
            }
            Effect::Shape(shape, gate) => {
                if let Shape::Split { seed, .. } = shape {
                    self.random = StdRng::seed_from_u64(seed);
                }
                self.shapes.push((shape, gate));
            }
            // These are done where they hit.
            Effect::Cut(_) | Effect::HalfOpen | Effect::HoldConfirms(..) => {}
        }
        Ok(())
    }

    /// Takes what was posted to this direction, and writes what should no longer wait.
    pub(crate) async fn look_up(&mut self) -> io::Result<()> {
        for effect in self.control.mail(self.side) {
            self.bend(effect).await?;
        }
        self.shapes.retain(|(_, gate)| !gate.is_open());
        if self.patience().is_none() {
            self.flush().await?;
        }
        Ok(())
    }

    /// Waits until gathered bytes have waited long enough; for ever, if there are none.
    pub(crate) async fn impatience(&self) {
        match self.patience() {
            Some(patience) if !self.gathered.is_empty() => clock::pass(patience).await,
            _ => std::future::pending().await,
        }
    }

    /// Writes what was gathered.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.gathered);
        self.writer.write_all(&bytes).await
    }

    /// Says that no more will come.
    pub(crate) async fn end(&mut self) {
        // The other side may be gone already, which its own pump finds out.
        let _ = self.flush().await;
        let _ = self.writer.shutdown().await;
    }

    fn patience(&self) -> Option<Duration> {
        self.shapes.iter().find_map(|(shape, _)| match shape {
            Shape::Coalesce { patience, .. } => Some(*patience),
            _ => None,
        })
    }

    async fn send_bent(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.look_up().await?;
        let enough = self.shapes.iter().find_map(|(shape, _)| match shape {
            Shape::Coalesce { bytes, .. } => Some(*bytes),
            _ => None,
        });
        if let Some(enough) = enough {
            self.gathered.extend_from_slice(bytes);
            if self.gathered.len() < enough {
                return Ok(());
            }
            let bytes = std::mem::take(&mut self.gathered);
            return self.pieces(&bytes).await;
        }
        self.pieces(bytes).await
    }

    async fn pieces(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.shapes.retain(|(_, gate)| !gate.is_open());
            let mut size = bytes.len();
            let mut pause = None;
            for (shape, _) in &self.shapes {
                match shape {
                    Shape::Throttle { bytes_per_second } => {
                        let beat = (bytes_per_second / BEATS).max(1);
                        size = size.min(beat as usize);
                        pause = Some(*bytes_per_second);
                    }
                    Shape::Split { at_most, .. } => {
                        size = size.min(self.random.random_range(1..=*at_most));
                    }
                    Shape::Coalesce { .. } => {}
                }
            }
            let (piece, rest) = bytes.split_at(size);
            self.writer.write_all(piece).await?;
            bytes = rest;
            if let Some(rate) = pause {
                let written = u32::try_from(size).unwrap_or(u32::MAX);
                clock::pass(Duration::from_secs(1) * written / rate).await;
            } else if !bytes.is_empty() {
                // So that the reader has a chance to see the piece on its own.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }
}
