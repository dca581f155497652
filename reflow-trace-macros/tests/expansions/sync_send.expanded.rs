impl Connector {
    /// Sends one message.
    pub fn send(&self, mut message: Reading) -> Result<(), SendError> {
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::BeginSend as _;
            (&mut ::reflow_trace::__private::Probed(&mut message))
                .begin_send(
                    &mut flow,
                    ::reflow_trace::__private::names(
                            &(self.from_actor),
                            &(self.from_port),
                            &(self.to_actor),
                            &(self.to_port),
                        )
                        .ends(),
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    ::reflow_trace::__private::Site::PLAIN,
                );
        }
        let out: Result<(), SendError> = if true {
            self.queue.push(message)
        } else {
            ::reflow_trace::__private::declared()
        };
        ::reflow_trace::__private::judged(&out).end(&mut flow);
        out
    }
    fn untouched(&self) -> usize {
        self.queue.len()
    }
}
