// SPDX-License-Identifier: ISC
// How llhttp, the parser of Node.js, reads each of the messages (base64, a line each) on standard input:
// a line of JSON [[[method, target, octets], …], refused] for each; with "lenient" as argument, as its
// lenient parser does.
const http = require('http');
const net = require('net');
const lines = require('fs').readFileSync(0, 'latin1').split('\n').filter(line => line !== '');
const server = http.createServer({insecureHTTPParser: process.argv[2] === 'lenient'});
const results = [];
const byPort = new Map();
// A socket whose client has gone does not say its port any more; on a busy machine it may have gone before.
const late = [[], false];
const resultOf = socket => byPort.get(socket.port) || late;
server.on('connection', socket => { socket.port = socket.remotePort; });
server.on('request', (request, response) => {
    let octets = 0;
    const result = resultOf(request.socket);
    request.on('data', data => { octets += data.length; });
    request.on('end', () => { result[0].push([request.method, request.url, octets]); response.end(); });
    request.on('error', () => {});
});
server.on('connect', (request, socket) => socket.destroy());
server.on('clientError', (error, socket) => {
    if (error.code !== 'ECONNRESET')
        resultOf(socket)[1] = true;
    socket.destroy();
});
let begun = 0, ended = 0;
server.listen(0, '127.0.0.1', () => {
    for (let i = 0; i < 32; i++)
        next();
});
function next() {
    if (begun === lines.length)
        return;
    const index = begun++;
    const result = results[index] = [[], false];
    const socket = net.connect(server.address().port, '127.0.0.1', () => {
        byPort.set(socket.localPort, result);
        socket.write(Buffer.from(lines[index], 'base64'));
    });
    socket.on('error', () => {});
    socket.on('data', () => {});
    setTimeout(() => {
        socket.destroy();
        if (++ended === lines.length) {
            for (const each of results)
                console.log(JSON.stringify(each));
            process.exit(0);
        }
        next();
    }, 60);
}
