impl Connector {
    fn send(&self, mut message: M) -> ! {
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
        match ::reflow_trace::__private::call(move || -> ::core::convert::Infallible {
            let _ = &message;
            let _ = &self;
            { panic!("{message}") }
        }) {}
    }
    async fn send_async(&self, mut message: M) -> ! {
        match ::reflow_trace::__private::instrumented(
                async move {
                    let _ = &message;
                    let _ = &self;
                    ::reflow_trace::__private::begin_in(|
                        flow: &mut ::reflow_trace::__private::Flow|
                    {
                        use ::reflow_trace::__private::AsName as _;
                        use ::reflow_trace::__private::BeginSend as _;
                        (&mut ::reflow_trace::__private::Probed(&mut message))
                            .begin_send(
                                flow,
                                ::reflow_trace::__private::ends(
                                    (&&::reflow_trace::__private::Text(&(self.from_actor)))
                                        .name(),
                                    (&&::reflow_trace::__private::Text(&(self.from_port)))
                                        .name(),
                                    (&&::reflow_trace::__private::Text(&(self.to_actor)))
                                        .name(),
                                    (&&::reflow_trace::__private::Text(&(self.to_port))).name(),
                                ),
                                ::reflow_trace::__private::Depth::UNKNOWN,
                                {
                                    static SITE: ::reflow_trace::__private::Site = ::reflow_trace::__private::Site::new();
                                    &SITE
                                },
                            );
                    });
                    if false {
                        return ::reflow_trace::__private::declared::<
                            ::core::convert::Infallible,
                        >();
                    }
                    { loop {} }
                },
                |
                    _: &mut ::core::convert::Infallible,
                    _: &mut ::reflow_trace::__private::Flow|
                {},
            )
            .await
        {}
    }
    #[track_caller]
    fn try_send(&self, mut message: M) -> bool {
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
            flow.deliver_on_drop();
        }
        let mut message = message;
        {
            message.push();
            true
        }
    }
}
