'use strict';

// Searching: a query is taken apart as `harness/book/src/search.rs` takes the pages apart.
(() => {
    const lunr = window.elasticlunr;
    if (!lunr) {
        return;
    }
    const ours = text => {
        const words = [];
        const parts = String(text ?? '').toLowerCase().match(/[\u3400-\u4dbf\u4e00-\u9fff]+|[^\s\-\u3000-\u303f\uff00-\uffef\u2014\u2026\u201c\u201d\u3400-\u4dbf\u4e00-\u9fff]+/g);
        for (const part of parts ?? []) {
            if (!/[\u3400-\u9fff]/.test(part[0])) {
                const word = part.replace(/^[^a-z0-9_]+|[^a-z0-9_]+$/g, '');
                if (word) {
                    words.push(word);
                }
            } else if (part.length === 1) {
                words.push(part);
            } else {
                for (let i = 0; i + 1 < part.length; i++) {
                    words.push(part.slice(i, i + 2));
                }
            }
        }
        return words;
    };
    Object.assign(ours, lunr.tokenizer);
    lunr.tokenizer = ours;
})();

// Languages: the links go into the menu, and keep the reader's place on the page.
(() => {
    const links = document.querySelectorAll('.workbook-languages a');
    const buttons = document.querySelector('#mdbook-menu-bar .right-buttons');
    if (links.length === 0 || !buttons) {
        return;
    }
    const KEY = 'workbook-place';
    const anchors = () => [...document.querySelectorAll('#mdbook-content main [id]')]
        .filter(element => /^H[1-6]$/.test(element.tagName));

    // The last heading above the reading line, and how far the reader is on the way to the next one.
    const LINE = 80;
    const place = () => {
        const tops = anchors().map(heading => [heading.id, heading.getBoundingClientRect().top - LINE]);
        const at = tops.findLastIndex(([, top]) => top <= 0);
        if (at < 0) {
            return { id: '', part: 0 };
        }
        const end = at + 1 < tops.length
            ? tops[at + 1][1]
            : document.documentElement.scrollHeight - window.scrollY - LINE;
        const height = Math.max(1, end - tops[at][1]);
        return { id: tops[at][0], part: Math.min(1, -tops[at][1] / height) };
    };
    const go = ({ id, part }) => {
        const all = anchors();
        const at = all.findIndex(heading => heading.id === id);
        if (at < 0) {
            return;
        }
        const top = heading => heading.getBoundingClientRect().top + window.scrollY;
        const end = at + 1 < all.length ? top(all[at + 1]) : document.documentElement.scrollHeight;
        window.scrollTo({ top: top(all[at]) + (end - top(all[at])) * part - LINE, behavior: 'instant' });
    };

    for (const link of links) {
        const button = link.cloneNode(true);
        button.classList.add('icon-button');
        button.addEventListener('click', event => {
            if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) {
                return;
            }
            const here = place();
            try {
                sessionStorage.setItem(KEY, JSON.stringify({ href: button.href, ...here }));
            } catch { /* Without storage the heading alone is kept, by the address. */ }
            event.preventDefault();
            location.href = button.href + (here.id ? '#' + here.id : '');
        });
        buttons.prepend(button);
    }

    try {
        const kept = JSON.parse(sessionStorage.getItem(KEY));
        sessionStorage.removeItem(KEY);
        if (kept && kept.href === location.href.split('#')[0]) {
            window.addEventListener('load', () => go(kept));
        }
    } catch { /* No place was kept. */ }
})();

// Printing: what is folded on the screen is printed, too, except for solutions.
(() => {
    let opened = [];
    const open = () => {
        opened = [...document.querySelectorAll('details:not([open]):not(.workbook-solution)')];
        opened.forEach(details => { details.open = true; });
    };
    window.addEventListener('beforeprint', open);
    window.addEventListener('afterprint', () => {
        opened.forEach(details => { details.open = false; });
    });
})();
