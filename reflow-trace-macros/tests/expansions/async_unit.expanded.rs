impl Sender for Connector {
    async fn send(&mut self, mut item: Reading) {
        ::reflow_trace::__private::unjudged()
            .end_both(
                ::reflow_trace::__private::instrumented(async move {
                        if ::reflow_trace::__private::begins_here() {
                            let flow = {
                                ::reflow_trace::__private::sending::<Reading>()
                                    .begin(
                                        &mut item,
                                        ::reflow_trace::__private::edge(&(self.edge)),
                                        ::reflow_trace::__private::Depth::UNKNOWN,
                                        ::reflow_trace::__private::Site::PLAIN,
                                    )
                            };
                            if flow.stay() {
                                return;
                            }
                        }
                        let mut item = item;
                        {
                            item.hops += 1;
                            self.queue.push(item);
                        }
                    })
                    .await,
            )
    }
}
