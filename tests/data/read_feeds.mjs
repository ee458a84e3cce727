// Reads feeds with the parsers that are installed beside it; prints what each makes of the first entry, as JSON lines.
import { readFileSync } from 'node:fs'
import Parser from 'rss-parser'
import { parseFeed } from 'feedsmith'

const text = value => (typeof value === 'string' ? value : value?.value)
const names = list => list?.map(one => (typeof one === 'string' ? one : one.name))

async function rssParser(data) {
  const item = (await new Parser().parseString(data)).items[0]
  return {
    id: item.guid ?? item.id,
    title: item.title,
    link: item.link,
    published: item.isoDate,
    updated: item.updated,
    authors: [item.creator ?? item.author].flat(),
    summary: item.summary ?? item.contentSnippet,
    body: item['content:encoded'] ?? item.content,
    image: item.enclosure?.url,
    topics: item.categories?.map(text),
  }
}

async function feedsmith(data) {
  const { feed } = parseFeed(data)
  const item = (feed.items ?? feed.entries)[0]
  return {
    id: text(item.guid) ?? item.id,
    title: text(item.title),
    link: item.link ?? item.url ?? item.links?.find(link => link.rel === 'alternate')?.href,
    published: item.pubDate ?? item.published ?? item.date_published,
    updated: item.atom?.updated ?? item.updated ?? item.date_modified,
    authors: names(item.dc?.creators ?? item.authors),
    summary: text(item.summary) ?? item.description,
    body: item.content?.encoded ?? text(item.content) ?? item.content_html,
    image: item.image ?? item.media?.thumbnails?.[0]?.url,
    topics: item.tags ?? item.categories?.map(one => one.name ?? one.term),
  }
}

for (const [name, read] of Object.entries({ 'rss-parser': rssParser, feedsmith })) {
  for (const path of process.argv.slice(2)) {
    let entry = null
    try {
      entry = await read(readFileSync(path, 'utf8'))
    } catch {
      // This one does not know the format.
    }
    console.log(JSON.stringify({ reader: name, format: path.split('.').pop(), entry }))
  }
}
