#[sample(rate = 0.1, always = "Self::is_critical", never = "self.celsius < 0.0", never_actors = ["heartbeat"])]
#[derive(Debug)]
pub struct Reading<T: Clone>
where
    T: Copy,
{
    #[trace(id)]
    id: u64,
    #[trace(context)]
    pub context: Context,
    #[trace(attribute)]
    celsius: f64,
    /// Kept.
    payload: Vec<T>,
}
