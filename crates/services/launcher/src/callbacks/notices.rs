use std::sync::Arc;

use tonic::{Request, Response, Status};
use wire::pb::{self, events_server::Events, observations_server::Observations};

use crate::system::MountSystem;

/// Takes what plugins announce, at once: where these services are missing, plugins log an error for every request.
pub struct Notices(pub Arc<MountSystem>);

#[tonic::async_trait]
impl Events for Notices {
    async fn send_event(
        &self,
        request: Request<pb::SendEventRequest>,
    ) -> Result<Response<pb::Empty>, Status> {
        let pb::SendEventRequest { event_type, event } = request.into_inner();
        match event {
            Some(event) => {
                self.0.tell(event_type, event);
                Ok(Response::new(pb::Empty {}))
            }
            None => Err(Status::invalid_argument("the event is missing")),
        }
    }
}

#[tonic::async_trait]
impl Observations for Notices {
    async fn record_observation(
        &self,
        _: Request<pb::RecordObservationRequest>,
    ) -> Result<Response<pb::Empty>, Status> {
        Ok(Response::new(pb::Empty {}))
    }
}
