impl Connector {
    /// Sends one message.
    pub fn send(&self, mut message: Reading) -> Result<(), SendError> {
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::AsName as _;
            use ::reflow_trace::__private::BeginSend as _;
            (&mut ::reflow_trace::__private::Probed(&mut message))
                .begin_send(
                    &mut flow,
                    ::reflow_trace::__private::ends(
                        (&&::reflow_trace::__private::Text(&(self.from_actor))).name(),
                        (&&::reflow_trace::__private::Text(&(self.from_port))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_actor))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_port))).name(),
                    ),
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    {
                        static SITE: ::reflow_trace::__private::Site = ::reflow_trace::__private::Site::new();
                        &SITE
                    },
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
