unsafe impl<'a, const N: usize> Sender for Connector<'a, { N }>
where
    [(); N]: Sized,
{
    unsafe extern "C" fn send(
        mut self: Box<Self>,
        mut topic: &str,
        #[rustfmt::skip]
        argument_2: Envelope<Vec<u8>, { N }>,
        #[cfg(unix)]
        argument_3: (u8, u8),
        argument_4: u8,
    ) -> &'a str
    where
        Self: 'a,
    {
        let flow = if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::AsName as _;
            ::reflow_trace::__private::sending::<&str>()
                .begin(
                    &mut topic,
                    ::reflow_trace::__private::ends(
                        (&&::reflow_trace::__private::Text(&("gate"))).name(),
                        (&&::reflow_trace::__private::Text(&(self.from_port))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_actor))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_port))).name(),
                    ),
                    ::reflow_trace::__private::Depth::of((self.queue.len())),
                    ::reflow_trace::__private::Site::PLAIN,
                )
        } else {
            ::reflow_trace::__private::Flow::idle()
        };
        ::reflow_trace::__private::judge::<&'a str>()
            .end(
                flow,
                ::reflow_trace::__private::call(move || -> &'a str {
                    let _ = &argument_4;
                    #[cfg(unix)]
                    let _ = &argument_3;
                    let _ = &argument_2;
                    let _ = &self;
                    let mut topic = topic;
                    let Envelope { payload, .. } = argument_2;
                    #[cfg(unix)]
                    let (a, _) = argument_3;
                    {
                        topic = "x";
                        topic
                    }
                }),
            )
    }
}
