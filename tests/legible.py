"""Questions to a page in the browser: what on it cannot be read, and what does not fit."""

# Text that is smaller than 14 px, or that stands out less than WCAG 2.2 §1.4.3 asks for, with the numbers.
LEGIBILITY = r"""(() => {
  const channels = text => { const n = text.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => { const c = [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * c[0] + .7152 * c[1] + .0722 * c[2]; };
  const ground = node => { for (; node; node = node.parentElement) {
    const c = channels(getComputedStyle(node).backgroundColor); if (c[3] > 0) return c; } return [255, 255, 255, 1]; };
  const wrong = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement, style = getComputedStyle(node), box = node.getBoundingClientRect();
    if (!walk.currentNode.data.trim() || box.width < 2 || box.right < 0) continue;
    const size = parseFloat(style.fontSize), a = light(channels(style.color)), b = light(ground(node));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5 || (size < 14 && node.closest('sup') === null))
      wrong.push(`${node.tagName} ${size}px ${ratio.toFixed(1)}: ${walk.currentNode.data.trim().slice(0, 40)}`);
  }
  return wrong; })()"""
OVERFLOW = r"""(() => { const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  return [...document.querySelectorAll('body *')].filter(n => n.getBoundingClientRect().right > wide + 1 && !n.closest('.scroll'))
    .map(n => n.tagName + '.' + n.className); })()"""
