//! A picture for a page.
