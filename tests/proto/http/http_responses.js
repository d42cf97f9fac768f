// SPDX-License-Identifier: ISC
// How llhttp, the parser of Node.js, reads each of the responses (base64, a line each) on standard input, as the
// first answer to a GET: a line of JSON [[status, octets], refused] for each. With "lenient", as its lenient parser.
const http = require('http');
const net = require('net');
const lines = require('fs').readFileSync(0, 'latin1').split('\n').filter(line => line !== '');
const results = lines.map(() => [null, false]);
const server = net.createServer(socket => {
    let head = '';
    socket.on('error', () => {});
    socket.on('data', data => {
        head += data.toString('latin1');
        const match = /^GET \/(\d+) /.exec(head);
        if (match && head.includes('\r\n\r\n'))
            socket.end(Buffer.from(lines[Number(match[1])], 'base64'));
    });
});
let begun = 0, ended = 0;
server.listen(0, '127.0.0.1', () => {
    for (let i = 0; i < 16; i++)
        next();
});
function next() {
    if (begun === lines.length)
        return;
    const index = begun++;
    let done = false;
    const end = () => {
        if (done)
            return;
        done = true;
        if (++ended === lines.length) {
            for (const each of results)
                console.log(JSON.stringify(each));
            process.exit(0);
        }
        next();
    };
    const request = http.get({port: server.address().port, host: '127.0.0.1', path: '/' + index, agent: false,
                              insecureHTTPParser: process.argv[2] === 'lenient'}, response => {
        let octets = 0;
        response.on('data', data => { octets += data.length; });
        response.on('end', () => { results[index][0] = [response.statusCode, octets]; end(); });
        response.on('aborted', () => { results[index][1] = true; end(); });
        response.on('error', () => { results[index][1] = true; end(); });
    });
    request.on('error', () => { results[index][1] = true; end(); });
    request.on('upgrade', (response, socket) => { socket.destroy(); results[index][1] = true; end(); });
}
