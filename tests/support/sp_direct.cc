#include "tests/support/sp_direct.h"

#include <string>
#include <vector>

#include <sentencepiece_processor.h>

struct sp_direct {
    sentencepiece::SentencePieceProcessor processor;
    std::vector<int> ids;
    std::string text;
};

struct sp_direct *sp_direct_open(const char *path)
{
    auto *d = new sp_direct;
    if (!d->processor.Load(path).ok()) {
        delete d;
        return nullptr;
    }
    return d;
}

struct sp_direct *sp_direct_open_memory(const void *model, size_t n)
{
    auto *d = new sp_direct;
    if (!d->processor.LoadFromSerializedProto(std::string_view(static_cast<const char *>(model), n)).ok()) {
        delete d;
        return nullptr;
    }
    return d;
}

void sp_direct_close(struct sp_direct *d)
{
    delete d;
}

const int32_t *sp_direct_encode(struct sp_direct *d, const char *text, size_t n, size_t *n_ids)
{
    if (!d->processor.Encode(std::string_view(text, n), &d->ids).ok()) {
        return nullptr;
    }
    *n_ids = d->ids.size();
    return d->ids.data();
}

const char *sp_direct_decode(struct sp_direct *d, const int32_t *ids, size_t n_ids, size_t *n)
{
    if (!d->processor.Decode(std::vector<int>(ids, ids + n_ids), &d->text).ok()) {
        return nullptr;
    }
    *n = d->text.size();
    return d->text.data();
}

int32_t sp_direct_n_pieces(const struct sp_direct *d)
{
    return d->processor.GetPieceSize();
}

int32_t sp_direct_bos(const struct sp_direct *d)
{
    return d->processor.bos_id();
}

int32_t sp_direct_eos(const struct sp_direct *d)
{
    return d->processor.eos_id();
}

int32_t sp_direct_unk(const struct sp_direct *d)
{
    return d->processor.unk_id();
}
