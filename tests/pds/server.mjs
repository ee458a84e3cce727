// A real Bluesky server (PDS) on loopback with its own directory, as its authors' own tests start it. Prints its address.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const home = createRequire(`${process.argv[2]}/`)
const { TestNetworkNoAppView } = await import(pathToFileURL(home.resolve('@atproto/dev-env')))
const network = await TestNetworkNoAppView.create({ pds: {} })
console.log(network.pds.url)
process.stdin.on('end', async () => {
  await network.close()
  process.exit(0)
})
process.stdin.resume()
