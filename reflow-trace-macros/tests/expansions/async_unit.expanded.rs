impl Sender for Connector {
    async fn send(&mut self, mut item: Reading) {
        ::reflow_trace::__private::instrumented(
                async move {
                    let _ = &item;
                    let _ = &self;
                    ::reflow_trace::__private::begin_in(|
                        flow: &mut ::reflow_trace::__private::Flow|
                    {
                        use ::reflow_trace::__private::AsName as _;
                        use ::reflow_trace::__private::BeginSend as _;
                        (&mut ::reflow_trace::__private::Probed(&mut item))
                            .begin_send(
                                flow,
                                ::reflow_trace::__private::edge(&(self.edge)),
                                ::reflow_trace::__private::Depth::UNKNOWN,
                                {
                                    static SITE: ::reflow_trace::__private::Site = ::reflow_trace::__private::Site::new();
                                    &SITE
                                },
                            );
                    });
                    if false {
                        return;
                    }
                    let mut item = item;
                    {
                        item.hops += 1;
                        self.queue.push(item);
                    }
                },
                |out: &mut _, flow: &mut ::reflow_trace::__private::Flow| {
                    flow.end({
                        use ::reflow_trace::__private::Judge as _;
                        (&&::reflow_trace::__private::Judged(&*out)).outcome()
                    });
                },
            )
            .await
    }
}
