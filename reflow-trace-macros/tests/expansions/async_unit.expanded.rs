impl Sender for Connector {
    async fn send(&mut self, mut item: Reading) {
        let (out, mut flow) = ::reflow_trace::__private::instrumented(async move {
                if ::reflow_trace::__private::begins_here() {
                    let mut flow = ::reflow_trace::__private::Flow::idle();
                    use ::reflow_trace::__private::BeginSend as _;
                    (&mut ::reflow_trace::__private::Probed(&mut item))
                        .begin_send(
                            &mut flow,
                            ::reflow_trace::__private::edge(&(self.edge)),
                            ::reflow_trace::__private::Depth::UNKNOWN,
                            ::reflow_trace::__private::Site::PLAIN,
                        );
                    flow.stay();
                }
                if false {
                    return;
                }
                let mut item = item;
                {
                    item.hops += 1;
                    self.queue.push(item);
                }
            })
            .await;
        flow.end(::reflow_trace::__private::Outcome::Delivered);
        out
    }
}
