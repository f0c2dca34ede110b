"""The outbox relay: from the event store to `checkout.events`, in order, without a hole."""
