
/* Begins when the data, which stands behind this script, is there. */
addEventListener('DOMContentLoaded', () => {
    data = JSON.parse(byId('data').textContent);
    const page = pages[data.page];
    document.title = `${page.title}: ${data.model}`;
    byId('title').textContent = page.title;
    const kept = data;
    data = null; // nothing is there to be redrawn yet
    startTheme();
    data = kept;
    page.open(byId('main'));
    byId('about').textContent = `${data.model}: ${page.about()}`;
    startHelp(page);
    addEventListener('keydown', onKey);
    document.documentElement.dataset.ready = 'yes';
});
