impl Connector {
    /// Sends one message.
    pub fn send(&self, mut message: Reading) -> Result<(), SendError> {
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::BeginSend as _;
            (&mut ::reflow_trace::__private::Probed(&mut message))
                .begin_send(
                    &mut flow,
                    {
                        use ::reflow_trace::__private::AsEnds as _;
                        (&&::reflow_trace::__private::Names(
                            &(self.from_actor),
                            &(self.from_port),
                            &(self.to_actor),
                            &(self.to_port),
                        ))
                            .ends()
                    },
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    ::reflow_trace::__private::Site::PLAIN,
                );
        }
        let out = ::reflow_trace::__private::call(move || -> Result<(), SendError> {
            let _ = &message;
            let _ = &self;
            { self.queue.push(message) }
        });
        flow.end({
            use ::reflow_trace::__private::Judge as _;
            (&&::reflow_trace::__private::Judged(&out)).outcome()
        });
        out
    }
    fn untouched(&self) -> usize {
        self.queue.len()
    }
}
