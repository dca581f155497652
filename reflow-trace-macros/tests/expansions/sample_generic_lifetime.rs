#[sample(rate = 0.5)]
struct View<'a>(&'a [u8]);
