impl Connector {
    fn send(&self, mut message: M) -> ! {
        let _flow = if ::reflow_trace::__private::on() {
            ::reflow_trace::__private::sending::<M>()
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
        match ::reflow_trace::__private::call(move || -> ::core::convert::Infallible {
            let _ = &message;
            { panic!("{message}") }
        }) {}
    }
    async fn send_async(&self, mut message: M) -> ! {
        match ::reflow_trace::__private::instrumented(async move {
                if ::reflow_trace::__private::begins_here() {
                    let flow = {
                        ::reflow_trace::__private::sending::<M>()
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
                    };
                    if flow.stay() {
                        return ::reflow_trace::__private::declared::<
                            ::core::convert::Infallible,
                        >();
                    }
                }
                { loop {} }
            })
            .await
            .0
        {}
    }
    #[track_caller]
    fn try_send(&self, mut message: M) -> bool {
        let mut flow = if ::reflow_trace::__private::on() {
            ::reflow_trace::__private::sending::<M>()
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
        flow.deliver_on_drop();
        let mut message = message;
        {
            message.push();
            true
        }
    }
}
