/* SPDX-License-Identifier: ISC */
/* http_status.c - status codes and their phrases (RFC 9110 §15). */
#include "wire/http/http_status.h"

#include "base/compiler.h"

static const struct {
    unsigned status;
    const char *text;
    const char *hint;
} phrases[] = {
    {100, "Continue", ""},
    {101, "Switching Protocols", ""},
    {102, "Processing", ""},
    {103, "Early Hints", ""},
    {200, "OK", ""},
    {201, "Created", ""},
    {202, "Accepted", ""},
    {203, "Non-Authoritative Information", ""},
    {204, "No Content", ""},
    {205, "Reset Content", ""},
    {206, "Partial Content", ""},
    {207, "Multi-Status", ""},
    {208, "Already Reported", ""},
    {226, "IM Used", ""},
    {300, "Multiple Choices", "There are several of this. Choose one."},
    {301, "Moved Permanently", "This has moved for good; look there from now on."},
    {302, "Found", "For now this is to be found elsewhere."},
    {303, "See Other", "The answer is to be found elsewhere."},
    {304, "Not Modified", ""},
    {305, "Use Proxy", ""},
    {307, "Temporary Redirect",
     "For now this is to be found elsewhere; ask there in the same way."},
    {308, "Permanent Redirect", "This has moved for good; ask there in the same way."},
    {400, "Bad Request", "What was sent is no request as HTTP has them."},
    {401, "Unauthorized",
     "This is for those who say who they are: a name and a password are wanted."},
    {402, "Payment Required", "This is to be paid for."},
    {403, "Forbidden", "You may not have this."},
    {404, "Not Found", "There is nothing of this name here."},
    {405, "Method Not Allowed", "This method makes no sense here."},
    {406, "Not Acceptable", "There is this, but in no form that was asked for."},
    {407, "Proxy Authentication Required", "The proxy wants to know who you are."},
    {408, "Request Timeout", "The request did not come to its end in time."},
    {409, "Conflict", "The request does not fit what is there now."},
    {410, "Gone", "This was here, and will not come back."},
    {411, "Length Required", "Say how much there is to come."},
    {412, "Precondition Failed", "It is not as the request supposed: it has changed since."},
    {413, "Content Too Large", "That is more than is taken here."},
    {414, "URI Too Long", "The address is longer than any that is read here."},
    {415, "Unsupported Media Type", "Content of this type is not taken here."},
    {416, "Range Not Satisfiable", "There are no such octets in it."},
    {417, "Expectation Failed", "What the request expects is not done here."},
    {421, "Misdirected Request", "This server does not answer for that name."},
    {422, "Unprocessable Content", "The content is well formed, and cannot be followed."},
    {423, "Locked", "This is locked."},
    {424, "Failed Dependency", "It depended on something that failed."},
    {425, "Too Early",
     "This may have been played again by somebody: ask once more when the connection stands."},
    {426, "Upgrade Required", "Another protocol is wanted for this."},
    {428, "Precondition Required",
     "The request has to say on what condition it holds (If-Match, say)."},
    {429, "Too Many Requests", "Too many requests came from you. Wait a little."},
    {431, "Request Header Fields Too Large",
     "The fields of the request are more, or longer, than are read here."},
    {451, "Unavailable For Legal Reasons", "There are legal reasons why you may not have this."},
    {500, "Internal Server Error", "Something went wrong here. It is not your fault."},
    {501, "Not Implemented", "This method is not known."},
    {502, "Bad Gateway", "The server behind this one gave no sensible answer."},
    {503, "Service Unavailable", "There is too much to do. Come again a little later."},
    {504, "Gateway Timeout", "The server behind this one did not answer in time."},
    {505, "HTTP Version Not Supported", "This major version of HTTP is not spoken here."},
    {506, "Variant Also Negotiates",
     "What was to be chosen from chooses itself: the server is not set up well."},
    {507, "Insufficient Storage", "There is no room for it."},
    {508, "Loop Detected", "It leads in a circle."},
    {510, "Not Extended", ""},
    {511, "Network Authentication Required", "The network wants to know who you are first."},
};

static const char *const class_phrases[] = {"Unknown",     "Informational", "Success",
                                            "Redirection", "Client Error",  "Server Error"};

const char *http_status_text(unsigned status)
{
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].text;
    return class_phrases[status / 100 < ARRAY_LEN(class_phrases) ? status / 100 : 0];
}

const char *http_status_hint(unsigned status)
{
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].hint;
    return "";
}
