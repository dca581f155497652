impl Actor for Validator {
    async fn handle(
        &mut self,
        mut message: Reading,
        context: &mut Scope,
    ) -> Result<(), E> {
        ::reflow_trace::__private::judge::<Result<(), E>>()
            .end_both(
                ::reflow_trace::__private::instrumented(async move {
                        if ::reflow_trace::__private::begins_here() {
                            let mut flow = ::reflow_trace::__private::Flow::idle();
                            use ::reflow_trace::__private::AsName as _;
                            use ::reflow_trace::__private::BeginHandling as _;
                            (&mut ::reflow_trace::__private::Probed(&mut message))
                                .begin_handling(
                                    &mut flow,
                                    ::reflow_trace::__private::receiver(
                                        (&&::reflow_trace::__private::Text(&(self.name))).name(),
                                        (&&::reflow_trace::__private::Text(&("in"))).name(),
                                    ),
                                    ::reflow_trace::__private::Site::PLAIN,
                                );
                            if flow.stay() {
                                return ::reflow_trace::__private::declared::<
                                    Result<(), E>,
                                >();
                            }
                        }
                        { self.out.send(message).await }
                    })
                    .await,
            )
    }
    fn on_tick(&mut self, mut tick: Tick) {
        let _frame = ::reflow_trace::__private::CauseFrame::enter();
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::AsName as _;
            use ::reflow_trace::__private::BeginHandling as _;
            (&mut ::reflow_trace::__private::Probed(&mut tick))
                .begin_handling(
                    &mut flow,
                    ::reflow_trace::__private::receiver(
                        (&&::reflow_trace::__private::Text(&(self.name))).name(),
                        (&&::reflow_trace::__private::Text(&("in"))).name(),
                    ),
                    ::reflow_trace::__private::Site::PLAIN,
                );
        }
        ::reflow_trace::__private::unjudged().end(flow, if true {})
    }
    async fn run(mut self, inbox: Inbox<Reading>) -> Result<(), E> {
        ::reflow_trace::__private::judge::<Result<(), E>>()
            .end_both(
                ::reflow_trace::__private::in_task(
                        ::reflow_trace::__private::instrumented(async move {
                            let _ = &inbox;
                            let _ = &self;
                            if ::reflow_trace::__private::begins_here() {
                                let mut flow = ::reflow_trace::__private::Flow::idle();
                                use ::reflow_trace::__private::AsName as _;
                                ::reflow_trace::__private::begin_life(
                                    &mut flow,
                                    (&&::reflow_trace::__private::Text(&(self.name))).name(),
                                    ::reflow_trace::__private::Site::PLAIN,
                                );
                                if flow.stay() {
                                    return ::reflow_trace::__private::declared::<
                                        Result<(), E>,
                                    >();
                                }
                            }
                            { Ok(()) }
                        }),
                    )
                    .await,
            )
    }
}
