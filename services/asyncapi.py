def asyncapi_document(topics):
    return {}


def asyncapi_page(document):
    return ""
