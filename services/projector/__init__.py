"""The projector: from `checkout.events` to the views in Redis, and their rebuild when Redis is lost."""
