#[sample(rate = 0.1, size = "self.len()")]
enum Message {
    #[sample(always)]
    CriticalAlert(String),
    #[sample(never)]
    DebugInfo,
    #[sample(always = "payload.len() > 1024", name = "Update")]
    DataUpdate {
        payload: Vec<u8>,
        #[trace(id)]
        id: u64,
    },
    #[cfg(feature = "extra")]
    #[sample(rate = RATE, never = "*_1 == 0")]
    Extra(#[trace(context)] Context, #[trace(attribute)] u8),
}
