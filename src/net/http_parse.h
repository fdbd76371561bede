/*
 * http_parse.h - bytes of a connection into HTTP/1.1 messages, strictly
 *
 * A head is gathered whole and checked byte for byte before it is parsed: lines
 * end in CR LF and nowhere else, no line is folded, names are tokens, one
 * length and one way to say it. What two programs could read in two ways is
 * refused.
 */
#ifndef SAT_SRC_NET_HTTP_PARSE_H
#define SAT_SRC_NET_HTTP_PARSE_H

#include "net/message.h"

typedef struct sat__http_parser sat__http_parser;

typedef enum sat__http_event {
    SAT_HTTP_MORE = 0,  /* all was used; feed what comes next */
    SAT_HTTP_HEAD = 1,  /* the head is there; the body is next */
    SAT_HTTP_DONE = 2,  /* the message is complete */
    SAT_HTTP_FAILED = 3 /* see sat__http_parser_failure() */
} sat__http_event;

/* A parser that fills `request`, or one that fills `response`. */
SAT_CHECK sat_status sat__http_parser_requests(sat__request *request,
                                               sat__http_parser **out,
                                               sat_error *err);
SAT_CHECK sat_status sat__http_parser_responses(sat__response *response,
                                                sat__http_parser **out,
                                                sat_error *err);
void sat__http_parser_free(sat__http_parser *parser);
DEFINE_AUTO_PTR(sat__http_parser, sat__http_parser_free);

/* Reads on until the next event; *used is how much of `data` it took. */
sat__http_event sat__http_parser_feed(sat__http_parser *parser, sat_bytes data,
                                      size_t *used);

/* Bodies beyond `bytes` fail with 413, at once where their length is known. It
 * begins at 0 with each message, so it is for the time after the head. */
void sat__http_parser_limit(sat__http_parser *parser, size_t bytes);

/* The HTTP status that says what is wrong, and the sentence that does. */
unsigned sat__http_parser_failure(const sat__http_parser *parser,
                                  const char **detail);

/* How much of the body has come. */
size_t sat__http_parser_taken(const sat__http_parser *parser);

/* The response to come is to HEAD: whatever its head says, no body follows. */
void sat__http_parser_skip_body(sat__http_parser *parser);

/* Whether the next event may come without another byte, by feeding nothing. */
bool sat__http_parser_is_pending(const sat__http_parser *parser);

/* Whether anything of a message has come. */
bool sat__http_parser_is_within(const sat__http_parser *parser);

/* Whether the message that is done asks for the connection to end. */
bool sat__http_parser_wants_close(const sat__http_parser *parser);

/* Makes ready for the next message. The request or response is cleared. */
void sat__http_parser_next(sat__http_parser *parser);

#endif /* SAT_SRC_NET_HTTP_PARSE_H */
