impl Connector {
    /// Sends one message.
    pub fn send(&self, mut message: Reading) -> Result<(), SendError> {
        let flow = if ::reflow_trace::__private::on() {
            ::reflow_trace::__private::sending::<Reading>()
                .begin(
                    &mut message,
                    ::reflow_trace::__private::names(
                            &self.from_actor,
                            &self.from_port,
                            &self.to_actor,
                            &self.to_port,
                        )
                        .ends(),
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    ::reflow_trace::__private::Site::PLAIN,
                )
        } else {
            ::reflow_trace::__private::Flow::idle()
        };
        ::reflow_trace::__private::judge::<Result<(), SendError>>()
            .end(
                flow,
                if true {
                    self.queue.push(message)
                } else {
                    ::reflow_trace::__private::declared()
                },
            )
    }
    fn untouched(&self) -> usize {
        self.queue.len()
    }
}
