// The only C++ in Choir: SentencePiece behind a C border.  Nothing is thrown across it.
#include "tokenizer/sentencepiece/wrapper.h"

#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include <sentencepiece_processor.h>

extern "C" {
#include "base/error.h"
}

struct sp_lib {
    sentencepiece::SentencePieceProcessor processor;
};

namespace
{

choir_status fail(choir_status code, const char *where, const char *what, choir_error *err)
{
    char shown[BASE_ESCAPE_CAP];
    return base_fail(err, code, "%s: SentencePiece: %s", where, base_escape_str(shown, what));
}

// Runs `work`, which returns a choir_status; whatever it throws becomes one.
template <typename Work> choir_status guarded(const char *where, choir_error *err, Work work) noexcept
{
    try {
        return work();
    } catch (const std::bad_alloc &) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory (for the tokenizer)");
    } catch (const std::exception &e) {
        return fail(CHOIR_INTERNAL, where, e.what(), err);
    } catch (...) {
        return fail(CHOIR_INTERNAL, where, "unknown exception", err);
    }
}

} // namespace

choir_status sp_lib_open(struct sp_lib **out, const char *file, const void *model, size_t n, choir_error *err)
{
    *out = nullptr;
    return guarded(file, err, [&]() -> choir_status {
        std::unique_ptr<sp_lib> lib(new sp_lib);
        const auto status =
            lib->processor.LoadFromSerializedProto(std::string_view(static_cast<const char *>(model), n));
        if (!status.ok()) {
            return fail(CHOIR_FILE, file, status.error_message(), err);
        }
        *out = lib.release();
        return CHOIR_OK;
    });
}

void sp_lib_close(struct sp_lib *lib)
{
    delete lib;
}

choir_status sp_lib_encode(const struct sp_lib *lib, const char *text, size_t n, int32_t **ids, size_t *n_ids,
                           choir_error *err)
{
    *ids = nullptr;
    *n_ids = 0;
    return guarded("tokenizer", err, [&]() -> choir_status {
        std::vector<int> found;
        const auto status = lib->processor.Encode(std::string_view(text, n), &found);
        if (!status.ok()) {
            return fail(CHOIR_INTERNAL, "tokenizer", status.error_message(), err);
        }
        auto *copy = static_cast<int32_t *>(std::malloc((found.size() + 1) * sizeof(int32_t)));
        if (copy == nullptr) {
            throw std::bad_alloc();
        }
        for (size_t i = 0; i < found.size(); i++) {
            copy[i] = found[i];
        }
        *ids = copy;
        *n_ids = found.size();
        return CHOIR_OK;
    });
}
