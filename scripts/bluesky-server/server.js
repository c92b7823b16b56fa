// Starts a Bluesky network on this machine, says where in one line of JSON, and ends with its caller.
//
//   DB_POSTGRES_URL=postgres://... node server.js
//
// It is the account server (records, replies, the firehose), the register of accounts, and the
// view of the network (search, notifications), which wants an empty PostgreSQL database. It ends
// when its standard input does, however its caller ended.

'use strict'

const { TestBsky, TestPds, TestPlc, mockNetworkUtilities } = require('@atproto/dev-env')
const { createServer } = require('node:net')

async function main() {
  const port = await freePort()
  const plc = await TestPlc.create({})
  const view = await TestBsky.create({
    plcUrl: plc.url,
    repoProvider: `ws://localhost:${port}`,
    dbPostgresUrl: process.env.DB_POSTGRES_URL,
    dbPostgresSchema: 'view',
  })
  const pds = await TestPds.create({
    port,
    didPlcUrl: plc.url,
    bskyAppViewUrl: view.url,
    bskyAppViewDid: view.ctx.cfg.serverDid,
  })
  mockNetworkUtilities(pds, view)
  console.log(JSON.stringify({ pds: pds.url }))
  process.stdin.resume()
  process.stdin.on('end', () => process.exit(0))
}

function freePort() {
  return new Promise((found, failed) => {
    const server = createServer()
    server.on('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => found(port))
    })
  })
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
